import { describe, expect, it } from 'vitest';
import { type Connections, createConnections } from './connections.ts';
import { type Fixture, openFixture } from './testing/test-fixture.ts';

const definition = (...hosts: readonly string[]) => ({
  name: 'keys',
  auth_type: 'api_key',
  api_url: hosts,
  api_key: { header_name: 'X-Key' },
});
const key = { provider: 'keys', apiKey: 'sk-live-0123456789' };

async function open(...hosts: readonly string[]): Promise<
  Fixture & {
    readonly connections: Connections;
    readonly define: (...hosts: readonly string[]) => Promise<unknown>;
  }
> {
  const fixture = openFixture([]);
  const define = (...named: readonly string[]) =>
    fixture.options.catalog.add(definition(...named), { replace: true });
  await define(...hosts);
  return { ...fixture, define, connections: createConnections(fixture.options) };
}

async function toApprove(connections: Connections): Promise<readonly string[]> {
  const [summary] = await connections.summaries('keys');
  return summary === undefined ? ['no connection'] : connections.hostsToApprove(summary);
}

describe('the hosts of a connection', () => {
  it('are those of the definition when it was made, until a new sign-in', async () => {
    const { connections, define } = await open('api.keys.example');
    await connections.signIns.start({ ...key, force: false });
    expect(await toApprove(connections)).toEqual([]);
    await define('api.keys.example', 'evil.example');
    expect(await toApprove(connections)).toEqual(['evil.example']);
    await connections.signIns.start({ ...key, force: true });
    expect(await toApprove(connections)).toEqual([]);
  });

  it('are those of the definition when the sign-in began, should it change before the end', async () => {
    const { connections, define } = await open('api.keys.example');
    const { id } = await connections.signIns.start({ provider: 'keys', force: false });
    await define('api.keys.example', 'evil.example');
    await connections.signIns.submitSecret(id, key.apiKey);
    expect(await toApprove(connections)).toEqual(['evil.example']);
  });

  it('grow by approval, which is recorded, told to runs, and leaves the secret alone', async () => {
    const { connections, define, events } = await open('api.keys.example');
    await connections.signIns.start({ ...key, force: false });
    await define('api.keys.example', 'more.example');
    const changes: string[] = [];
    connections.onChange(({ connection, kind }) => changes.push(`${connection} ${kind}`));
    const report = await connections.approveHosts('keys', undefined, ['api.keys.example', 'more.example']);
    expect(report).toMatchObject({ before: ['api.keys.example'], added: ['more.example'] });
    expect(await toApprove(connections)).toEqual([]);
    expect(changes).toEqual(['keys/default hosts_approved']);
    expect(events.at(-1)).toEqual({
      event: 'connection.hosts_approved',
      provider: 'keys',
      connection: 'default',
      outcome: 'ok',
      detail: 'hosts api.keys.example → api.keys.example, more.example',
    });
    expect(await connections.read('keys', undefined, { showSecret: true })).toMatchObject({
      apiKey: key.apiKey,
    });
  });

  it('are not approved when they are other ones than a person has seen', async () => {
    const { connections, define } = await open('api.keys.example');
    await connections.signIns.start({ ...key, force: false });
    await define('api.keys.example', 'evil.example');
    await expect(
      connections.approveHosts('keys', undefined, ['api.keys.example', 'more.example']),
    ).rejects.toMatchObject({ code: 'OperationNotAllowed' });
    expect(await toApprove(connections)).toEqual(['evil.example']);
  });
});

describe('a connection of a version that kept no hosts', () => {
  async function openOld(): Promise<Awaited<ReturnType<typeof open>>> {
    const opened = await open('api.keys.example');
    await opened.connections.signIns.start({ ...key, force: false });
    const { vault } = opened.options;
    const record = await vault.read('connection', 'keys/default');
    if (record === undefined) throw new Error('no record');
    const { approved: _, ...fields } = record.fields;
    await vault.write({ ...record, fields }, record.version);
    return opened;
  }

  it('gets those of the definition at the first start, and no later ones', async () => {
    const { connections, define } = await openOld();
    expect(await toApprove(connections)).toEqual(['api.keys.example']);
    await connections.start();
    expect(await toApprove(connections)).toEqual([]);
    await define('api.keys.example', 'evil.example');
    await connections.start();
    expect(await toApprove(connections)).toEqual(['evil.example']);
    await connections.close();
  });

  it('gets none where the definition cannot be read then', async () => {
    const { connections, options, define } = await openOld();
    const { find } = options.catalog;
    Object.assign(options.catalog, { find: () => undefined });
    await connections.start();
    Object.assign(options.catalog, { find });
    await define('evil.example');
    await connections.start();
    expect(await toApprove(connections)).toEqual(['evil.example']);
    await connections.close();
  });
});
