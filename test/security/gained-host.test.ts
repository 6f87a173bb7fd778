import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bothForms } from '../support/both-forms.ts';
import { type Acme, connectPixel, createAcme, entry } from '../support/fixture.ts';
import { hosts, pixel } from '../support/service/index.ts';

/**
 * The attack: a person takes a newer definition of a provider that is connected, or an agent replaces it (`register --force`).
 * It names one host more, which is the attacker's. The next run gave that host the old credential, without a word: the
 * audit trail said `provider.registered ok pixel`, and no hosts.
 */
let fixture: Acme;
let script = '';
beforeAll(async () => {
  fixture = await createAcme();
  await connectPixel(fixture);
  script = join(fixture.directory, 'client.cjs');
  writeFileSync(script, bothForms);
});
beforeEach(() => {
  fixture.service.api.received.length = 0;
});
afterAll(() => fixture.close());

const ask = (host: string) => fixture.authsome(['run', '--', process.execPath, script, host, '/steal']);
const redefine = async (apiUrl: readonly string[]) => {
  const file = join(fixture.directory, 'newer.json');
  writeFileSync(file, JSON.stringify({ ...pixel, api_url: apiUrl }));
  const { code, stderr } = await fixture.authsome(['register', '--force', '--yes', file]);
  expect([code, stderr]).toMatchObject([0, expect.anything()]);
};
const receivedBy = (host: string) => fixture.service.api.received.filter((request) => request.host === host);
const command = 'authsome connections approve-hosts pixel';

describe('a host that a definition has gained since the sign-in', () => {
  beforeAll(() => redefine([pixel.api_url, `https://${hosts.stranger}`]));

  it('gets nothing in either form of target, and the refusal names the command', async () => {
    const { stdout, stderr } = await ask(hosts.stranger);
    for (const form of ['absolute', 'connect']) {
      expect(stdout).toMatch(new RegExp(`^${form} 403 .*"code":"HostNotApproved".*${command}`, 'm'));
    }
    expect(stderr).toContain(`pixel/default is not approved for hosts that its definition names`);
    expect(stderr).toContain(command);
    expect(fixture.service.api.received).toEqual([]);
  });

  it('is said by list, get, doctor and explain', async () => {
    for (const args of [['list'], ['get', 'pixel']]) {
      expect((await fixture.authsome(args)).stderr).toContain(command);
    }
    const { unapproved_hosts, hosts: approved } = await fixture.json(['get', 'pixel']);
    expect([unapproved_hosts, approved]).toEqual([[hosts.stranger], [hosts.keyApi]]);
    const { checks } = await fixture.json(['doctor']);
    expect(checks).toContainEqual(
      expect.objectContaining({ name: 'hosts', status: 'warn', fix: command, message: expect.any(String) }),
    );
    const { outcome, candidates } = await fixture.json(['explain', 'last']);
    expect(outcome).toBe('HostNotApproved');
    expect(candidates).toContainEqual(
      expect.objectContaining({ reason: 'the connection is not approved for this host' }),
    );
  });

  it('leaves the approved hosts as they were', async () => {
    const { stdout } = await ask(hosts.keyApi);
    expect(stdout).toMatch(/^absolute 200 /m);
    expect(receivedBy(hosts.keyApi).map(({ headers }) => headers['x-api-key'])).toEqual([
      fixture.apiKey,
      fixture.apiKey,
    ]);
  });

  it('is not approved without a yes', async () => {
    const { error, hint } = await fixture.json(['connections', 'approve-hosts', 'pixel'], 2);
    expect([error, hint]).toEqual(['Usage', `Allow it with: ${command} --yes`]);
    expect((await ask(hosts.stranger)).stdout).toMatch(/^connect 403 /m);
    expect(fixture.service.api.received).toEqual([]);
  });

  it('is not approved by an agent in a run', async () => {
    const line = `"${process.execPath}" "${entry}" connections approve-hosts pixel --yes`;
    const { code, stderr } = await fixture.authsome(['run', '--', 'sh', '-c', line]);
    expect(code).toBe(12);
    expect(stderr).toContain('not from inside a run: approving hosts for pixel/default');
    expect((await fixture.json(['get', 'pixel'])).unapproved_hosts).toEqual([hosts.stranger]);
  });

  it('asks about a look-alike too, but not about another host of the same owner', async () => {
    await redefine([pixel.api_url, `https://${hosts.lookalike}`, 'https://uploads.pixel.test']);
    const { unapproved_hosts } = await fixture.json(['get', 'pixel']);
    expect(unapproved_hosts).toEqual([hosts.lookalike]);
  });

  it('gets the credential once a person has approved it, and the audit trail has both lists', async () => {
    await redefine([pixel.api_url, `https://${hosts.stranger}`]);
    const approved = await fixture.json(['connections', 'approve-hosts', 'pixel/default', '--yes']);
    expect(approved).toEqual({
      v: 1,
      provider: 'pixel',
      connection: 'default',
      before: [hosts.keyApi],
      after: [hosts.keyApi, hosts.stranger],
      added: [hosts.stranger],
    });
    expect((await ask(hosts.stranger)).stdout).toMatch(/^connect 200 /m);
    expect(receivedBy(hosts.stranger)[0]?.headers['x-api-key']).toBe(fixture.apiKey);
    const { events } = await fixture.json(['log', '-n', '100']);
    expect(events).toContainEqual(
      expect.objectContaining({
        event: 'connection.hosts_approved',
        provider: 'pixel',
        connection: 'default',
        detail: `hosts ${hosts.keyApi} → ${hosts.keyApi}, ${hosts.stranger}`,
      }),
    );
  });
});
