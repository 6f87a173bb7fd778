import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Acme, askAcme, connectAcme, createAcme, entry, overridesNote } from '../support/fixture.ts';
import { hosts } from '../support/service/index.ts';

/**
 * The attack, and it lasted: an agent ended the daemon, and started another with an address and a root of its own
 * (`AUTHSOME_RESOLVE=api.acme.test:443:127.0.0.1:9444 authsome daemon start`). The person's next run, from a clean shell,
 * sent the real credential to the agent's listener, and nothing said so. With `AUTHSOME_HOST=0.0.0.0`, the new daemon's
 * calls, pages and proxy were open to the network.
 */
let fixture: Acme;
beforeAll(async () => {
  fixture = await createAcme();
  await connectAcme(fixture);
});
afterAll(() => fixture.close());

const command = `"${process.execPath}" "${entry}"`;
const inRun = (script: string) => fixture.authsome(['run', '--', 'sh', '-c', script]);
// biome-ignore lint/suspicious/noExplicitAny: events are asserted on, key by key
const lastStart = async (): Promise<any> => {
  const { events } = await fixture.json(['log', '-n', '100']);
  return events.findLast(({ event }: { event: string }) => event === 'daemon.started');
};

describe('a start of the daemon', () => {
  it('takes them from a terminal, and says so at the start of each run that they touch', async () => {
    const { code, stderr } = await fixture.authsome(askAcme);
    expect(code).toBe(0);
    expect(stderr).toMatch(overridesNote);
    expect(stderr).toContain(
      `finds ${hosts.api} at addresses that were set by hand, and trusts 1 extra root.`,
    );
    expect((await fixture.authsome(['run', '--quiet', '--', 'true'])).stderr).toBe('');
    expect((await lastStart()).detail).toMatch(
      /; addresses by hand: .*api\.acme\.test.*; extra roots: .* \(1\)$/,
    );
  });

  it.each([
    ['asked for', `AUTHSOME_RESOLVE=evil:443:127.0.0.1:1 ${command} daemon start`],
    ['on demand', `AUTHSOME_EXTRA_CA_CERTS=/tmp/evil.pem ${command} whoami >/dev/null`],
    ['detached', `env -u AUTHSOME_RUN setsid -w ${command} daemon start`],
  ])('takes none of them from inside of a run, when it is %s', async (_how, start) => {
    const { stderr } = await inRun(`kill -9 ${fixture.daemonPid()}; sleep 0.3; ${start}`);
    expect(stderr).toContain(
      'Ignored, since the daemon starts from inside of a run: AUTHSOME_RESOLVE, AUTHSOME_EXTRA_CA_CERTS.',
    );
    const { checks } = await fixture.json(['doctor'], 0);
    expect(JSON.stringify(checks)).not.toContain('127.0.0.1:1');
    const started = await lastStart();
    expect(started.detail).not.toContain('; ');
    if (process.platform === 'linux') expect(started.run).toMatch(/^run_/);
    // Neither is the service found nor its certificate trusted, so nothing went anywhere.
    expect((await fixture.authsome(['run', '--', 'true'])).stderr).toMatch(
      /^authsome: this run has: \S+\.\n$/,
    );
  });

  it('listens on this machine only, whatever an agent sets', async () => {
    const { stderr } = await inRun(
      `kill -9 ${fixture.daemonPid()}; sleep 0.3; AUTHSOME_HOST=0.0.0.0 ${command} daemon start`,
    );
    expect(stderr).toMatch(/Ignored, since the daemon starts from inside of a run: .*AUTHSOME_HOST\./);
    // All of 127.0.0.0/8 is this machine, but the daemon listens at one address of it.
    const { port } = new URL(fixture.baseUrl);
    if (process.platform !== 'linux') return;
    await expect(fetch(`http://127.0.0.2:${port}/health`)).rejects.toMatchObject({
      cause: { code: 'ECONNREFUSED' },
    });
  });

  it('takes none of them when an agent runs it in the foreground', async () => {
    const log = join(fixture.directory, 'serve.log');
    const served = await inRun(
      `kill -9 ${fixture.daemonPid()}; sleep 0.3; timeout 3 ${command} daemon serve >"${log}" 2>&1; cat "${log}"`,
    );
    expect(served.stdout).toContain(
      'Ignored, since the daemon starts from inside of a run: AUTHSOME_RESOLVE',
    );
  });
});
