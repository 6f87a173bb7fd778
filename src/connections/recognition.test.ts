import { expect, it } from 'vitest';
import { createConnections } from './connections.ts';
import type { ConnectionEvent } from './contract.ts';
import { keyProvider, openFixture } from './testing/test-fixture.ts';

const key = 'sk-live-0123456789';
const mark = (secret: string) => `#${secret}`;

it('recognizes the key of any connection by its fingerprint, and notes that without the value', async () => {
  const { options } = openFixture([keyProvider()]);
  const events: ConnectionEvent[] = [];
  const connections = createConnections({ ...options, notify: (event) => events.push(event) });
  await connections.signIns.start({ provider: 'keys', force: false, apiKey: key });
  await connections.signIns.start({ provider: 'keys', connection: 'work', force: false, apiKey: 'sk-work' });
  events.length = 0;
  const found = await connections.recognize(mark, new Set([mark('sk-work'), mark('sk-other')]));
  expect([...found]).toEqual([
    [mark('sk-work'), { provider: 'keys', connection: 'keys/work', isCredential: true }],
  ]);
  expect(events).toEqual([{ event: 'secret.compared', outcome: 'ok', detail: '1 variable of a run' }]);
});

it('recognizes the secret of a client, which is no credential', async () => {
  const { options } = openFixture([keyProvider()]);
  const client = {
    kind: 'client' as const,
    name: 'keys@https://one.test',
    fields: { clientId: 'c' },
    secrets: { clientSecret: 'cs-0123456789' },
  };
  await options.vault.write(client, 0);
  const connections = createConnections(options);
  const found = await connections.recognize(mark, new Set([mark('cs-0123456789')]));
  expect([...found.values()]).toEqual([{ provider: 'keys', isCredential: false }]);
});

it('opens nothing, and notes nothing, where there is nothing to recognize', async () => {
  const { options } = openFixture([keyProvider()]);
  const events: ConnectionEvent[] = [];
  const connections = createConnections({ ...options, notify: (event) => events.push(event) });
  await connections.signIns.start({ provider: 'keys', force: false, apiKey: key });
  events.length = 0;
  const asked: string[] = [];
  const keep = (secret: string) => {
    asked.push(secret);
    return mark(secret);
  };
  expect(await connections.recognize(keep, new Set())).toEqual(new Map());
  expect(await connections.recognize(mark, new Set([mark('sk-unknown')]))).toEqual(new Map());
  expect([asked, events]).toEqual([[], []]);
});
