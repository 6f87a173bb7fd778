import { describe, expect, it } from 'vitest';
import type { Placement } from '../../providers/index.ts';
import { cleanupsAfterEach } from '../testing/test-cleanups.ts';
import { apiHost, phantomOf, routeTo, secret } from '../testing/test-fixture.ts';
import { closeOf, dialWebSocket, nextMessage, openWebSocketFixture } from '../testing/test-websocket.ts';

const cleanups = cleanupsAfterEach();

const phantom = 'sk-live-Phantom0123456789abcdef';
const spec = { phantoms: [phantomOf(phantom)] };

const open = () => openWebSocketFixture(cleanups, { spec });

describe('WebSocket messages of a run with phantoms', () => {
  it('pass both ways, of every kind and length', async () => {
    const { fixture, messages } = await open();
    const socket = await dialWebSocket(cleanups, fixture);
    for (const message of ['', 'hello', 'x'.repeat(300_000), 'y'.repeat(3_000_000)]) {
      socket.send(message);
      expect(await nextMessage(socket)).toBe(message);
    }
    socket.send('frag', { fin: false });
    socket.ping();
    socket.send('ment', { fin: true });
    expect(await nextMessage(socket)).toBe('fragment');
    socket.send(Buffer.from('binary'), { binary: true });
    await nextMessage(socket);
    expect(messages).toHaveLength(6);
    const closed = closeOf(socket);
    socket.close(1000, 'bye');
    expect(await closed).toEqual({ code: 1000, reason: 'bye' });
    expect(fixture.failures).toEqual([]);
  });

  it('are not compressed, so that they can be read', async () => {
    const { fixture, upgrades } = await open();
    const socket = await dialWebSocket(cleanups, fixture);
    expect(socket.extensions).toBe('');
    expect(upgrades[0]).not.toHaveProperty('sec-websocket-extensions');
    expect(upgrades[0]?.authorization).toBe(`Bearer ${secret}`);
  });

  it('are compressed as before in a run without phantoms', async () => {
    const { fixture, upgrades } = await openWebSocketFixture(cleanups);
    const socket = await dialWebSocket(cleanups, fixture);
    expect(socket.extensions).toBe('permessage-deflate');
    expect(upgrades[0]).toHaveProperty('sec-websocket-extensions');
  });
});

describe('a phantom in a WebSocket message', () => {
  it.each([
    ['a text message', (send: Send) => send(`{"token":"${phantom}"}`)],
    ['a binary message', (send: Send) => send(Buffer.from(phantom), { binary: true })],
    ['JSON with escapes', (send: Send) => send(`{"token":"${phantom.replaceAll('-', '\\u002d')}"}`)],
    ['base64', (send: Send) => send(Buffer.from(`user:${phantom}`).toString('base64'))],
    [
      'two fragments',
      (send: Send) => {
        send(phantom.slice(0, 10), { fin: false });
        send(phantom.slice(10), { fin: true });
      },
    ],
  ])('ends the connection with 1008 in %s, and is on record', async (_, act) => {
    const { fixture, messages } = await open();
    const socket = await dialWebSocket(cleanups, fixture);
    socket.send('before');
    await nextMessage(socket);
    const closed = closeOf(socket);
    act((data, options = {}) => socket.send(data, options));
    socket.send('after');
    const { code, reason } = await closed;
    expect(code).toBe(1008);
    expect(reason).toBe(`PhantomMisplaced: authsome explain ${fixture.failures[0]?.decision}`);
    expect(messages).toEqual(['before']);
    expect(fixture.decisions).toMatchObject([{ action: 'injected' }]);
    expect(fixture.failures).toMatchObject([{ outcome: 'PhantomMisplaced' }]);
    expect(JSON.stringify(fixture.failures)).not.toContain(phantom);
  });
});

describe('a WebSocket placement', () => {
  const newer = 'sk-live-newer-5d2a';

  it.each<readonly [string, Placement, string, string]>([
    ['a whole message', { kind: 'websocket' }, phantom, secret],
    [
      'a member of JSON',
      { kind: 'websocket', pointer: '/auth/token' },
      `{"auth": {"token":"${phantom}"}}`,
      `{"auth": {"token":"${secret}"}}`,
    ],
  ])('puts the secret in %s, also in fragments, and nowhere else', async (_, placement, text, filled) => {
    const routes = [routeTo(apiHost, { placements: [placement] })];
    const { fixture, upgrades, messages } = await openWebSocketFixture(cleanups, { spec, routes });
    const socket = await dialWebSocket(cleanups, fixture);
    expect(upgrades[0]).not.toHaveProperty('authorization');
    expect(fixture.decisions).toMatchObject([{ action: 'injected' }]);
    socket.send('before');
    socket.send(text);
    socket.send(text.slice(0, 20), { fin: false });
    socket.ping();
    socket.send(text.slice(20), { fin: true });
    socket.send('after');
    await expect.poll(() => messages).toEqual(['before', filled, filled, 'after']);
    fixture.credentials.set('example/default', { version: 2, secret: newer });
    socket.send(text);
    await expect.poll(() => messages.at(-1)).toBe(filled.replace(secret, newer));
    const closed = closeOf(socket);
    socket.send(`x ${phantom}`);
    expect((await closed).code).toBe(1008);
    expect(fixture.failures).toMatchObject([{ outcome: 'PhantomMisplaced' }]);
    expect(messages).toHaveLength(5);
  });

  it.each([
    ['a binary message', (send: Send) => send(Buffer.from(phantom), { binary: true })],
    ['a message that is too long', (send: Send) => send(`${phantom}${' '.repeat(1024 * 1024)}`)],
    ['the phantom of another connection', (send: Send) => send(otherPhantom)],
  ])('takes none in %s', async (_, act) => {
    const routes = [routeTo(apiHost, { placements: [{ kind: 'websocket' }] })];
    const phantoms = [...spec.phantoms, phantomOf(otherPhantom, 'example/bot')];
    const { fixture, messages } = await openWebSocketFixture(cleanups, { spec: { phantoms }, routes });
    const socket = await dialWebSocket(cleanups, fixture);
    const closed = closeOf(socket);
    act((data, options = {}) => socket.send(data, options));
    expect((await closed).code).toBe(1008);
    expect(messages).toEqual([]);
  });
});

const otherPhantom = 'sk-live-Another0123456789abcde';

type Send = (data: string | Buffer, options?: { readonly fin?: boolean; readonly binary?: boolean }) => void;
