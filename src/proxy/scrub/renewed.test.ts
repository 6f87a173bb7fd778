import type { TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import type { Credential } from '../contract.ts';
import { cleanupsAfterEach } from '../testing/test-cleanups.ts';
import { apiHost, dialThrough, openFixtureWithRaw, phantomOf, secret } from '../testing/test-fixture.ts';
import { dialHttp2, openHttp2Fixture } from '../testing/test-http2-upstream.ts';

const cleanups = cleanupsAfterEach();
const phantom = 'sk-phantom';

interface Renewable extends Credential {
  older?: Renewable | undefined;
  newer?: Renewable | undefined;
}

/** The credentials of a connection that the test renews, as the cache links them. */
function renewable() {
  let live: Renewable = { version: 1, secret };
  const renew = (): string => {
    const version = live.version + 1;
    const before = live;
    live = { version, secret: `sk-renewed-${version}-5d1f07`, older: before };
    before.older = undefined;
    before.newer = live;
    return live.secret;
  };
  const credentials = {
    peek: () => live,
    acquire: async () => live,
    renew: async () => undefined,
  };
  return { renew, spec: { credentials, phantoms: [phantomOf(phantom)] } };
}

const head = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n';
const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;

describe('after a renewal', () => {
  it('the credential before it is still kept from the child, and no other', async () => {
    const { renew, spec } = renewable();
    const known = [secret];
    const fixture = await openFixtureWithRaw(
      cleanups,
      (tls) => {
        tls.on('data', () => {
          const text = `${known.join(' ')}.`;
          tls.write(`${head}X-Keys: ${known.join()}\r\nContent-Length: ${text.length}\r\n\r\n${text}`);
        });
      },
      { spec },
    );
    const client = await dialThrough(fixture);
    const ask = async (): Promise<string> => {
      client.send(`GET / HTTP/1.1\r\nHost: ${apiHost}\r\n\r\n`);
      return client.until((text) => text.endsWith('.') || text.endsWith('.\r\n0\r\n\r\n'));
    };
    expect(await ask()).toMatch(/X-Keys: sk-phantom\r[\s\S]*\r\n\r\n\S*\s*sk-phantom\.\s/);
    known.push(renew());
    expect(await ask()).toMatch(
      /X-Keys: sk-phantom,sk-phantom\r[\s\S]*\r\n\r\n\S*\s*sk-phantom sk-phantom\.\s/,
    );
    // One generation is kept: the first one has been replaced twice.
    known.push(renew());
    expect(await ask()).toContain(`${secret} sk-phantom sk-phantom.`);
  });

  it('a response that is under way contains neither credential', async () => {
    const { renew, spec } = renewable();
    let upstream: TLSSocket | undefined;
    const fixture = await openFixtureWithRaw(
      cleanups,
      (tls) => {
        upstream = tls;
        tls.on('data', () => tls.write(`${head}Transfer-Encoding: chunked\r\n\r\n${chunk(`1 ${secret};`)}`));
      },
      { spec },
    );
    const client = await dialThrough(fixture);
    client.send(`GET / HTTP/1.1\r\nHost: ${apiHost}\r\n\r\n`);
    let received = await client.until((text) => text.includes(';'));
    for (const mark of ['2', '3']) {
      const newer = renew();
      upstream?.write(chunk(`${mark} ${secret} ${newer};`));
      received += await client.until((text) => text.includes(';'));
      expect(received).toContain(`${mark} ${phantom} ${phantom};`);
    }
    const newest = renew();
    upstream?.write(`0\r\nX-Key: ${newest}\r\n\r\n`);
    received += await client.until((text) => text.endsWith('\r\n\r\n'));
    expect(received).toContain(`X-Key: ${phantom}`);
    expect(received).not.toMatch(/sk-(live|renewed)/);
  });

  it('the same holds over HTTP/2', async () => {
    const { renew, spec } = renewable();
    const fixture = await openHttp2Fixture(
      cleanups,
      (stream) => {
        stream.respond({ ':status': 200, 'content-type': 'text/plain' }, { waitForTrailers: true });
        stream.write(`1 ${secret};`);
        stream.on('data', (asked: Buffer) => stream.write(`2 ${secret} ${asked};`));
        stream.on('end', () => stream.end());
        stream.on('wantTrailers', () => stream.sendTrailers({ 'x-key': renew() }));
      },
      { spec },
    );
    const stream = (await dialHttp2(cleanups, fixture)).request({ ':method': 'POST', ':path': '/' });
    let received = '';
    let trailer: unknown;
    stream.on('trailers', (fields) => {
      trailer = fields['x-key'];
    });
    stream.once('data', () => stream.end(renew()));
    for await (const bytes of stream) received += bytes;
    expect(received).toBe(`1 ${phantom};2 ${phantom} ${phantom};`);
    expect(trailer).toBe(phantom);
  });
});
