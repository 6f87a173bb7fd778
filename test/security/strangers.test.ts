import { request } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Acme, connectAcme, createAcme, until } from '../support/fixture.ts';

/**
 * The attacks: any website, in an iframe or by navigation, and any program on the machine make requests that are refused.
 * Each became an event of its own: a few seconds of them filled the trail with thousands, and `log` showed nothing else.
 * `explain last` explained a stranger's.
 */
let fixture: Acme;
beforeAll(async () => {
  fixture = await createAcme();
});
afterAll(() => fixture.close());

interface Logged {
  readonly sequence: number;
  readonly event: string;
  readonly outcome: string;
  readonly count?: number;
}

async function log(...more: readonly string[]): Promise<readonly Logged[]> {
  return (await fixture.json(['log', '-n', '1000', ...more])).events;
}

/** All that strangers caused with this outcome, once it is at least `least`; and in how many events. */
async function counted(outcome: string, least: number): Promise<{ total: number; events: number }> {
  let total = 0;
  let events = 0;
  await until(async () => {
    const found = (await log('--all')).filter((event) => event.event === 'strangers.refused');
    const counts = found.filter((event) => event.outcome === outcome).map(({ count }) => count ?? 0);
    events = counts.length;
    total = counts.reduce((sum, count) => sum + count, 0);
    return total >= least;
  }, 20_000);
  return { total, events };
}

function get(path: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const call = request(`${fixture.baseUrl}${path}`, { headers, agent: false }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
    });
    call.on('error', reject);
    call.end();
  });
}

const attempts = 200;
const callback = '/auth/callback/oauth?code=x&state=THEIRS';
const fromElsewhere = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' };

async function repeatedly(work: () => Promise<number>): Promise<readonly number[]> {
  const statuses: number[] = [];
  for (let count = 0; count < attempts; count += 1) statuses.push(await work());
  return [...new Set(statuses)];
}

describe('a stranger', () => {
  it('fills the trail with no callbacks: they are counted', async () => {
    const before = (await log('--all')).length;
    expect(await repeatedly(() => get(callback, { ...fromElsewhere, 'sec-fetch-dest': 'document' }))).toEqual(
      [400],
    );
    expect(await counted('StateMismatch', attempts)).toMatchObject({ total: attempts });
    expect((await log('--all')).length - before).toBeLessThan(attempts / 2);
  });

  it('fills it no more while a sign-in waits, which is warned a few times', async () => {
    await connectAcme(fixture);
    const waiting = fixture.startAuthsome(['login', 'acme', '--force', '--json', '--no-browser']);
    await waiting.seen('stdout', /"auth_url"/);
    const { total } = await counted('StateMismatch', 0);
    await repeatedly(() => get(callback, {}));
    expect((await counted('StateMismatch', total + attempts)).total).toBe(total + attempts);
    const warned = (await log('--all')).filter(({ event }) => event === 'sign_in.state_mismatch');
    expect(warned.length).toBeGreaterThan(0);
    expect(warned.length).toBeLessThan(attempts / 2);
    waiting.child.kill('SIGINT');
    await waiting.ended;
  });

  it('reaches no callback from an iframe, and no page either', async () => {
    for (const dest of ['iframe', 'frame', 'embed', 'object']) {
      for (const path of [callback, '/auth/sessions/ses_x']) {
        expect(await get(path, { ...fromElsewhere, 'sec-fetch-dest': dest })).toBe(403);
      }
    }
    expect(await repeatedly(() => get(callback, { ...fromElsewhere, 'sec-fetch-dest': 'iframe' }))).toEqual([
      403,
    ]);
    const { total, events } = await counted('OperationNotAllowed', attempts + 8);
    expect(total).toBe(attempts + 8);
    expect(events).toBeLessThan(attempts / 2);
  });

  it('fills the trail with no requests to the proxy', async () => {
    const run = fixture.startAuthsome(['run', '--', 'sh', '-c', 'echo "proxy=$HTTPS_PROXY"; read -r line'], {
      stdin: 'open',
    });
    const [, port = ''] = await run.seen('stdout', /proxy=http:.*:(\d+)\/?\n/);
    const before = (await log('--all')).length;
    await repeatedly(
      () =>
        new Promise((resolve, reject) => {
          const socket = connect(Number(port), '127.0.0.1');
          socket.write('CONNECT api.acme.test:443 HTTP/1.1\r\nHost: api.acme.test:443\r\n\r\n');
          socket.once('data', (data) => {
            socket.destroy();
            resolve(Number(String(data).split(' ')[1]));
          });
          socket.on('error', reject);
        }),
    ).then((statuses) => expect(statuses).toEqual([407]));
    expect(await counted('ProxyAuthenticationRequired', attempts)).toMatchObject({ total: attempts });
    expect((await log('--all')).length - before).toBeLessThan(attempts / 2);
    // A few are recorded, and none of them is the last decision of the owner's runs.
    expect(await fixture.json(['explain', 'last'], 4)).toMatchObject({ error: 'DecisionNotFound' });
    run.type('\n');
    await run.ended;
  });

  it('is left out of the log unless asked for, and the owner’s events stay', async () => {
    const shown = await log();
    expect(shown.map(({ event }) => event)).toEqual(
      expect.arrayContaining(['daemon.started', 'run.started']),
    );
    expect(shown.filter(({ event }) => event === 'strangers.refused')).toEqual([]);
    expect(shown.filter(({ outcome }) => outcome === 'ProxyAuthenticationRequired')).toEqual([]);
    expect((await fixture.authsome(['log', '--all'])).stdout).toMatch(
      /strangers\.refused .*callbacks that belong/,
    );
  });
});
