import { type ClientHttp2Session, constants } from 'node:http2';
import { describe, expect, it } from 'vitest';
import { compileRoutes } from '../../providers/index.ts';
import { cleanupsAfterEach } from '../testing/test-cleanups.ts';
import { secret } from '../testing/test-fixture.ts';
import { responseOn } from '../testing/test-http2-response.ts';
import { dialHttp2, openHttp2Fixture } from '../testing/test-http2-upstream.ts';

const cleanups = cleanupsAfterEach();
const large = 'b'.repeat(100_000);

describe('a renewed credential over HTTP/2', () => {
  it.each([
    ['is met once by a renewed credential, with the same body', 'body', 200, [secret, 'renewed']],
    ['stands where the body was too large to keep, and the credential is renewed', large, 401, [secret]],
  ])('a 401 %s', async (_, sent, status, carried) => {
    const seen: unknown[] = [];
    const renewals: unknown[] = [];
    const fixture = await openHttp2Fixture(
      cleanups,
      (stream, headers) => {
        let body = '';
        stream.setEncoding('utf8').on('data', (text: string) => {
          body += text;
        });
        stream.on('end', () => {
          seen.push([headers.authorization, body]);
          stream.respond({ ':status': headers.authorization === 'Bearer renewed' ? 200 : 401 });
          stream.end('done');
        });
      },
      {
        spec: {
          credentials: {
            peek: () => ({ version: 1, secret }),
            acquire: async () => ({ version: 1, secret }),
            renew: async (connection, rejected) => {
              renewals.push([connection, rejected.secret]);
              return { version: 2, secret: 'renewed' };
            },
          },
        },
      },
    );
    const stream = (await dialHttp2(cleanups, fixture)).request({ ':method': 'POST', ':path': '/' });
    stream.end(sent);
    expect((await responseOn(stream)).headers[':status']).toBe(status);
    expect(seen).toEqual(carried.map((own) => [`Bearer ${own}`, sent]));
    expect(renewals).toEqual([['example/default', secret]]);
  });

  it('a 401 that repeats the rejected credential stays scrubbed, though a newer one exists that cannot be sent', async () => {
    let requests = 0;
    const fixture = await openHttp2Fixture(
      cleanups,
      (stream, headers) => {
        requests += 1;
        stream.respond({ ':status': 401, 'content-type': 'text/plain' });
        stream.end(`${headers.authorization} and ${secret} are not accepted`);
      },
      {
        placements: [{ kind: 'basic', username: '', secretAs: 'username' }],
        spec: {
          credentials: {
            peek: () => ({ version: 1, secret }),
            acquire: async () => ({ version: 1, secret }),
            // A user name cannot contain a colon.
            renew: async () => ({ version: 2, secret: 'renewed:with-a-colon' }),
          },
        },
      },
    );
    const stream = (await dialHttp2(cleanups, fixture)).request({ ':path': '/' });
    const { headers, body } = await responseOn(stream);
    expect(headers[':status']).toBe(401);
    expect(body).toContain('are not accepted');
    expect(body).not.toContain(secret);
    expect(body).not.toContain(Buffer.from(`${secret}:`).toString('base64'));
    expect(requests).toBe(1);
  });

  describe('a 401 whose stream closes before the credential is renewed', () => {
    /** An API that wants the renewed credential, and a renewal that ends when the test says so. */
    async function openWithSlowRenewal() {
      const seen: unknown[] = [];
      let finish: (() => void) | undefined;
      const renewing = new Promise<void>((resolve) => {
        finish = resolve;
      });
      let asked: (() => void) | undefined;
      const isAsked = new Promise<void>((resolve) => {
        asked = resolve;
      });
      const fixture = await openHttp2Fixture(
        cleanups,
        (stream, headers) => {
          seen.push(headers.authorization);
          const status = headers.authorization === 'Bearer renewed' ? 204 : 401;
          stream.respond({ ':status': status }, { endStream: true });
        },
        {
          spec: {
            credentials: {
              peek: () => ({ version: 1, secret }),
              acquire: async () => ({ version: 1, secret }),
              renew: async () => {
                asked?.();
                await renewing;
                return { version: 2, secret: 'renewed' };
              },
            },
          },
        },
      );
      const session = await dialHttp2(cleanups, fixture);
      const stream = session.request({ ':method': 'HEAD', ':path': '/' });
      stream.on('error', () => {});
      const response = responseOn(stream);
      response.catch(() => {});
      await isAsked;
      // By then, the upstream's stream has closed.
      await ping(session);
      await ping(session);
      return { fixture, seen, session, stream, response, finish: () => finish?.() };
    }

    const ping = (session: ClientHttp2Session): Promise<void> =>
      new Promise((resolve) => session.ping(() => resolve()));

    it('is handled like any other', async () => {
      const { fixture, seen, response, finish } = await openWithSlowRenewal();
      finish();
      expect((await response).headers[':status']).toBe(204);
      expect(seen).toEqual([`Bearer ${secret}`, 'Bearer renewed']);
      expect(fixture.decisions.map(({ outcome }) => outcome)).toEqual(['injected']);
    });

    it('is not sent again once its route has been removed', async () => {
      const { fixture, seen, session, finish } = await openWithSlowRenewal();
      fixture.run.replaceRoutes(compileRoutes([]), []);
      finish();
      await ping(session);
      await ping(session);
      expect(seen).toEqual([`Bearer ${secret}`]);
    });

    it('is not sent again once the client has left', async () => {
      const { seen, session, stream, finish } = await openWithSlowRenewal();
      stream.close(constants.NGHTTP2_CANCEL);
      await ping(session);
      finish();
      await ping(session);
      await ping(session);
      expect(seen).toEqual([`Bearer ${secret}`]);
    });
  });
});
