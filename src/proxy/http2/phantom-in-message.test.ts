import type { IncomingHttpHeaders } from 'node:http2';
import { describe, expect, it } from 'vitest';
import { cleanupsAfterEach } from '../testing/test-cleanups.ts';
import { apiHost, phantomOf, secret } from '../testing/test-fixture.ts';
import { dialHttp2, openHttp2Fixture } from '../testing/test-http2-upstream.ts';

const cleanups = cleanupsAfterEach();

const phantom = 'sk-live-Phantom0123456789abcdef';

/** A text frame of at most 125 bytes, masked with zeros. */
function frame(text: string, first = 0x81): Buffer {
  return Buffer.concat([Buffer.from([first, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)]);
}

async function open(phantoms = [phantomOf(phantom)]) {
  const upgrades: IncomingHttpHeaders[] = [];
  let seen = '';
  const fixture = await openHttp2Fixture(
    cleanups,
    (stream, headers) => {
      upgrades.push(headers);
      stream.respond({ ':status': 200 });
      stream.on('data', (chunk: Buffer) => {
        seen += chunk.toString('latin1');
        stream.write(Buffer.from('\x81\x02ok', 'latin1'));
      });
    },
    { spec: { phantoms } },
  );
  const session = await dialHttp2(cleanups, fixture);
  await new Promise((resolve) => session.once('remoteSettings', resolve));
  const socket = session.request({
    ':method': 'CONNECT',
    ':protocol': 'websocket',
    ':path': '/socket',
    ':scheme': 'https',
    ':authority': apiHost,
    'sec-websocket-extensions': 'permessage-deflate',
  });
  socket.on('error', () => {});
  await new Promise((resolve) => socket.once('response', resolve));
  let received = '';
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1');
  });
  const closed = new Promise<void>((resolve) => socket.once('close', resolve));
  return { fixture, socket, upgrades, closed, seen: () => seen, received: () => received };
}

describe('a phantom in a WebSocket message over HTTP/2', () => {
  it.each([
    ['one frame', [frame(`{"token":"${phantom}"}`)]],
    ['two fragments', [frame(phantom.slice(0, 9), 0x01), frame(phantom.slice(9), 0x80)]],
    ['a binary frame', [frame(phantom, 0x82)]],
  ])('ends the connection with 1008 in %s', async (_, frames) => {
    const { fixture, socket, upgrades, closed, seen, received } = await open();
    socket.write(frame('before'));
    await expect.poll(received).toContain('ok');
    socket.write(Buffer.concat([...frames, frame('after')]));
    await closed;
    expect(upgrades[0]).not.toHaveProperty('sec-websocket-extensions');
    expect(upgrades[0]?.authorization).toBe(`Bearer ${secret}`);
    expect(seen().startsWith(frame('before').toString('latin1'))).toBe(true);
    expect(seen()).not.toContain('after');
    expect(seen()).not.toContain(phantom.slice(9));
    const close = Buffer.from(received().slice(received().indexOf('\x88')), 'latin1');
    expect(close.readUInt16BE(2)).toBe(1008);
    expect(close.subarray(4).toString()).toContain('PhantomMisplaced: authsome explain dec_');
    expect(fixture.failures).toMatchObject([{ outcome: 'PhantomMisplaced' }]);
  });

  it('without one, frames pass', async () => {
    const { fixture, socket, seen, received } = await open();
    socket.write(frame('one'));
    socket.write(frame('two'));
    await expect.poll(received).toContain('ok');
    await expect.poll(seen).toBe(Buffer.concat([frame('one'), frame('two')]).toString('latin1'));
    expect(fixture.failures).toEqual([]);
  });

  it('a run without phantoms is left alone, extensions included', async () => {
    const { upgrades, socket, seen } = await open([]);
    socket.write('no frame');
    await expect.poll(seen).toBe('no frame');
    expect(upgrades[0]).toHaveProperty('sec-websocket-extensions');
  });
});

describe('what a service sends over a WebSocket connection of HTTP/2', () => {
  it('arrives as it is and at once, also where a frame has the secret, as after a 101', async () => {
    const text = `{"key":"${secret}"}`;
    const sent = `\x81${String.fromCharCode(text.length)}${text}`;
    const fixture = await openHttp2Fixture(
      cleanups,
      (stream) => {
        stream.respond({ ':status': 200, 'x-echo': secret });
        stream.write(Buffer.from(sent, 'latin1'));
      },
      { spec: { phantoms: [phantomOf(phantom)] } },
    );
    const session = await dialHttp2(cleanups, fixture);
    await new Promise((resolve) => session.once('remoteSettings', resolve));
    const socket = session.request({
      ':method': 'CONNECT',
      ':protocol': 'websocket',
      ':path': '/socket',
      ':scheme': 'https',
      ':authority': apiHost,
    });
    socket.on('error', () => {});
    let received = '';
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
    });
    const head = await new Promise<IncomingHttpHeaders>((resolve) => socket.once('response', resolve));
    expect(head['x-echo']).toBe(phantom);
    await expect.poll(() => received).toBe(sent);
    expect(fixture.failures).toEqual([]);
  });
});
