import { describe, expect, it } from 'vitest';
import type { StoredRecord, Vault } from '../../vault/index.ts';
import { createConnections } from '../connections.ts';
import type { ConnectionChange, ConnectionsOptions } from '../contract.ts';
import { keyProvider, memoryVault, openFixture } from '../testing/test-fixture.ts';

const provider = { ...keyProvider(/^(?:sk|pat)-[a-z0-9]{20,}$/) };
const key = (prefix: string, seed: string) => `${prefix}-${seed.repeat(8)}`;
const one = 'keys/default';

/** A daemon over these records: one that is opened later finds what the one before it has stored. */
async function start(records: Map<string, StoredRecord>, overrides: Partial<ConnectionsOptions> = {}) {
  const { options } = openFixture([provider], { vault: memoryVault(records), ...overrides });
  const connections = createConnections(options);
  await connections.start();
  const signIn = (apiKey: string, connection = 'default') =>
    connections.signIns.start({ provider: 'keys', connection, apiKey, force: true });
  const phantomOf = async (connection = one): Promise<string> => {
    await connections.phantoms.require([connection]);
    return connections.phantoms.newest(connection) ?? '';
  };
  return { connections, phantoms: connections.phantoms, signIn, phantomOf };
}

describe('a durable phantom', () => {
  it('is the same in every run, and after a restart', async () => {
    const records = new Map<string, StoredRecord>();
    const first = await start(records);
    await first.signIn(key('sk', 'x1y'));
    const phantom = await first.phantomOf();
    expect(phantom).toMatch(/^sk-phantom[a-z0-9]+$/);
    expect(await first.phantomOf()).toBe(phantom);
    const second = await start(records);
    expect(second.phantoms.has(phantom)).toBe(true);
    expect(await second.phantomOf()).toBe(phantom);
    expect(second.phantoms.all()).toEqual([
      { value: phantom, connection: one, part: 'credential', isRetired: false },
    ]);
  });

  it('stays when the key is rotated, also while nobody runs', async () => {
    const records = new Map<string, StoredRecord>();
    const first = await start(records);
    await first.signIn(key('sk', 'x1y'));
    const phantom = await first.phantomOf();
    await first.signIn(key('sk', 'c2d'));
    expect(await first.phantomOf()).toBe(phantom);
    await first.signIn(key('sk', 'e3f'));
    expect(await (await start(records)).phantomOf()).toBe(phantom);
  });

  it('is another one for a key of another kind, and the earlier one stays valid', async () => {
    const records = new Map<string, StoredRecord>();
    const first = await start(records);
    const made: ConnectionChange[] = [];
    first.connections.onChange((change) => {
      if (change.kind === 'phantom_made') made.push(change);
    });
    await first.signIn(key('sk', 'x1y'));
    const old = await first.phantomOf();
    await first.signIn(key('pat', 'x1y'));
    const second = await start(records);
    const young = await second.phantomOf();
    expect(young).toMatch(/^pat-/);
    expect(second.phantoms.all().map(({ value, isRetired }) => [value, isRetired])).toEqual([
      [young, false],
      [old, false],
    ]);
    // The first kind again: no third phantom.
    await second.signIn(key('sk', 'f4f'));
    expect(await second.phantomOf()).toBe(old);
    expect(second.phantoms.all()).toHaveLength(2);
    expect(made).toEqual([{ connection: one, kind: 'phantom_made' }]);
  });

  it('is one of four at most; those before them are known and stand for nothing', async () => {
    const many = { ...provider, apiKey: { ...provider.apiKey, keyPattern: undefined } } as typeof provider;
    const { options } = openFixture([many]);
    const connections = createConnections(options);
    const phantoms: string[] = [];
    for (const prefix of ['aa', 'bb', 'cc', 'dd', 'ee', 'ff']) {
      const apiKey = `${prefix}_${'x1y2z3'.repeat(5)}`;
      await connections.signIns.start({ provider: 'keys', apiKey, force: true });
      await connections.phantoms.require([one]);
      phantoms.unshift(connections.phantoms.newest(one) ?? '');
    }
    const all = connections.phantoms.all();
    expect(all.map(({ value }) => value)).toEqual(phantoms);
    expect(all.map(({ isRetired }) => isRetired)).toEqual([false, false, false, false, true, true]);
    expect(phantoms.every((phantom) => connections.phantoms.has(phantom))).toBe(true);
  });

  it('is retired with its connection, and a new connection of that name has another one', async () => {
    const records = new Map<string, StoredRecord>();
    const first = await start(records);
    await first.signIn(key('sk', 'x1y'));
    const old = await first.phantomOf();
    await first.connections.logout('keys');
    expect(first.phantoms.newest(one)).toBeUndefined();
    expect(first.phantoms.all()).toMatchObject([{ value: old, isRetired: true }]);
    const second = await start(records);
    expect(second.phantoms.has(old)).toBe(true);
    expect(second.phantoms.all()).toMatchObject([{ value: old, isRetired: true }]);
    await second.signIn(key('sk', 'x1y'));
    const young = await second.phantomOf();
    expect(young).not.toBe(old);
    expect(second.phantoms.all()).toMatchObject([
      { value: young, isRetired: false },
      { value: old, isRetired: true },
    ]);
  });

  it('is retired by the next start where the daemon died in the middle of a removal', async () => {
    const records = new Map<string, StoredRecord>();
    const first = await start(records);
    await first.signIn(key('sk', 'x1y'));
    const old = await first.phantomOf();
    records.delete(`connection|${one}`);
    const second = await start(records);
    expect(second.phantoms.all()).toMatchObject([{ value: old, isRetired: true }]);
    expect(await second.phantomOf()).toBe('');
  });

  it('is one for two runs that start at once, and for two daemons', async () => {
    const records = new Map<string, StoredRecord>();
    const first = await start(records);
    const second = await start(records);
    await first.signIn(key('sk', 'x1y'));
    const phantoms = await Promise.all([
      first.phantomOf(),
      first.phantomOf(),
      second.phantomOf(),
      second.phantomOf(),
    ]);
    expect(new Set(phantoms).size).toBe(1);
  });

  it('is never accepted as a key or as a client secret, after a restart and a removal, too', async () => {
    const records = new Map<string, StoredRecord>();
    const first = await start(records);
    await first.signIn(key('sk', 'x1y'));
    const phantom = await first.phantomOf();
    await first.connections.logout('keys');
    const second = await start(records);
    const refused = expect.objectContaining({ code: 'InvalidKey' });
    await expect(second.signIn(phantom)).rejects.toEqual(refused);
    const entering = await second.connections.signIns.start({ provider: 'keys', force: true });
    await expect(second.connections.signIns.submitSecret(entering.id, phantom)).rejects.toEqual(refused);
    expect(await second.connections.summaries()).toEqual([]);
  });

  it('costs no read of the vault once it is known', async () => {
    const records = new Map<string, StoredRecord>();
    const inner = memoryVault(records);
    let reads = 0;
    const vault: Vault = {
      ...inner,
      read: (...args) => {
        reads += 1;
        return inner.read(...args);
      },
    };
    const { phantomOf, signIn } = await start(records, { vault });
    await signIn(key('sk', 'x1y'));
    await phantomOf();
    const before = reads;
    await phantomOf();
    expect(reads).toBe(before);
  });

  it('is there for a connection whose record cannot be opened', async () => {
    const records = new Map<string, StoredRecord>();
    const inner = memoryVault(records);
    const vault: Vault = {
      ...inner,
      read: (kind, name) =>
        kind === 'connection' ? Promise.reject(new Error('flipped bit')) : inner.read(kind, name),
    };
    await (await start(records)).signIn(key('sk', 'x1y'));
    const { phantomOf } = await start(records, { vault });
    const phantom = await phantomOf();
    expect(phantom).toMatch(/phantom/);
    // The record can be read again: the phantom that was given away stays valid.
    const { phantoms, phantomOf: again } = await start(records);
    await again();
    expect(phantoms.all().map(({ value, isRetired }) => [value, isRetired])).toContainEqual([phantom, false]);
  });

  it('has companions for the other secrets of a grant', async () => {
    const records = new Map<string, StoredRecord>();
    const first = await start(records);
    await first.signIn(key('sk', 'x1y'));
    const credential = await first.phantomOf();
    const refresh = await first.phantoms.requirePart(one, 'refresh_token', `rt_${'x1y2'.repeat(8)}`);
    expect(refresh).not.toBe(credential);
    expect(await first.phantoms.requirePart(one, 'refresh_token', `rt_${'z3w4'.repeat(8)}`)).toBe(refresh);
    expect(await (await start(records)).phantomOf()).toBe(credential);
  });
});
