import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEchoFixture } from '../support/echo-fixture.ts';
import { echoHost, encoders } from '../support/echo-service.ts';
import { type Fixture, overridesNote } from '../support/fixture.ts';

/**
 * The attack: an agent asks a service that echoes its credential for a form that the search did not know: a type that no
 * list names, a part of a multipart, UTF-16, or the trailers of an image. The whole secret came back.
 */
const secret = `ec_${'s3cr3t'.repeat(5)}zz`;
let fixture: Fixture;

beforeAll(async () => {
  fixture = await openEchoFixture(secret);
});
afterAll(() => fixture.close());

/** The bytes that a child's curl gets: the head, the body and the trailers. */
async function fetched(query: Readonly<Record<string, string>>): Promise<string> {
  const url = `https://${echoHost}/v1/me?${new URLSearchParams(query)}`;
  const curl = ['curl', '-sS', '-i', '--raw', '--suppress-connect-headers', url];
  // As hexadecimal, since the bytes are not always UTF-8.
  const command = `${curl.map((part) => `'${part}'`).join(' ')} | od -An -v -tx1`;
  const outcome = await fixture.authsome(['run', '--', 'sh', '-c', command]);
  expect([outcome.code, outcome.stderr]).toEqual([0, expect.stringMatching(overridesNote)]);
  const bytes = Buffer.from(outcome.stdout.replace(/\s/g, ''), 'hex').toString('latin1');
  expect(bytes).toMatch(/^HTTP\/1\.1 /);
  return bytes;
}

describe('a service that echoes the credential shows the agent only a phantom', () => {
  it.each([
    'application/vnd.github.raw; charset=utf-8',
    'application/x-made-up',
    'multipart/related; boundary=b',
    'multipart/x-mixed-replace; boundary=b',
    'application/octet-stream; charset=utf-8',
  ])('in %s', async (type) => {
    const bytes = await fetched({ type });
    expect(bytes).toContain('"authorization":"Bearer ');
    expect(bytes).toContain('phantom');
    expect(bytes).not.toContain(secret);
  });

  it.each(Object.entries(encoders))('in %s, declared or not', async (encoding, encode) => {
    const visible = encode('"authorization":"Bearer ').toString('latin1').replaceAll('ÿþ', '').slice(-24);
    const charset = encoding.split(' ')[0];
    for (const type of ['application/json', `text/plain; charset=${charset}`, 'application/x-made-up']) {
      const bytes = await fetched({ in: encoding, type });
      expect(bytes).toContain(visible);
      expect(bytes.replaceAll('\0', '')).toContain('phantom');
      expect(bytes.replaceAll('\0', '')).not.toContain(secret);
    }
  });

  it('in the trailers of an image', async () => {
    const bytes = await fetched({ type: 'image/png', chunked: '', trailer: '' });
    const trailers = bytes.slice(bytes.lastIndexOf('\r\n0\r\n'));
    expect(trailers).toMatch(/x-echo: Bearer .*phantom/i);
    expect(trailers).not.toContain(secret);
  });

  it('and in UTF-7, which is not searched, it shows nothing at all', async () => {
    const bytes = await fetched({ type: 'text/plain; charset=utf-7' });
    expect(bytes).toMatch(/^HTTP\/1\.1 502 /);
    expect(bytes).not.toContain(secret);
  });
});
