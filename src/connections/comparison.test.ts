import { expect, it } from 'vitest';
import { createConnections } from './connections.ts';
import type { ConnectionEvent } from './contract.ts';
import { keyProvider, openFixture } from './testing/test-fixture.ts';

const key = 'sk-live-0123456789';

it('tells whether a connection has a value, and which one', async () => {
  const { options } = openFixture([keyProvider()]);
  const connections = createConnections(options);
  expect(await connections.compare('keys', [key])).toEqual([{ inVault: 'absent', connection: undefined }]);
  await connections.signIns.start({ provider: 'keys', force: false, apiKey: key });
  await connections.signIns.start({ provider: 'keys', connection: 'work', force: false, apiKey: 'sk-work' });
  await connections.setDefault('keys', 'work');
  expect(await connections.compare('keys', [key, 'sk-work', `${key}x`, key.slice(1)])).toEqual([
    { inVault: 'same', connection: 'default' },
    { inVault: 'same', connection: 'work' },
    { inVault: 'different', connection: 'work' },
    { inVault: 'different', connection: 'work' },
  ]);
});

it('knows nothing of what was revoked', async () => {
  const { options } = openFixture([keyProvider()]);
  const connections = createConnections(options);
  await connections.signIns.start({ provider: 'keys', force: false, apiKey: key });
  await connections.revoke('keys');
  expect(await connections.compare('keys', [key])).toMatchObject([{ inVault: 'absent' }]);
});

it('notes how many values were compared, and none of them', async () => {
  const { options } = openFixture([keyProvider()]);
  const events: ConnectionEvent[] = [];
  const connections = createConnections({ ...options, notify: (event) => events.push(event) });
  await connections.compare('keys', [key, 'sk-other']);
  expect(events).toEqual([{ event: 'secret.compared', provider: 'keys', outcome: 'ok', detail: '2 values' }]);
});
