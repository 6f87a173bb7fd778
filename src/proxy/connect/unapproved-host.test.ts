import { describe, expect, it } from 'vitest';
import { compileRoutes } from '../../providers/index.ts';
import { cleanupsAfterEach } from '../testing/test-cleanups.ts';
import {
  apiHost,
  ask,
  connectTo,
  dialProxy,
  dialThrough,
  openFixtureWithApi,
  problemOf,
  proxyAuthorization,
  routeTo,
} from '../testing/test-fixture.ts';
import { responseOn } from '../testing/test-http2-response.ts';
import { dialHttp2 } from '../testing/test-http2-upstream.ts';

const cleanups = cleanupsAfterEach();
const unapproved = routeTo(apiHost, { isApproved: false });
const refused = {
  code: 'HostNotApproved',
  hint: 'A person can allow it with: authsome connections approve-hosts example',
};

describe('a host that a connection is not approved for', () => {
  const open = () => openFixtureWithApi(cleanups, { routes: [unapproved] });

  it.each([
    ['HTTP/1.1', ['http/1.1']],
    ['both versions of HTTP', ['h2', 'http/1.1']],
  ])('is not dialed, and the refusal names the command, for a client of %s', async (_, alpn) => {
    const { fixture, seen } = await open();
    const client = await dialThrough(fixture, apiHost, { alpn });
    expect(problemOf(await ask(client, 'GET / HTTP/1.1', `Host: ${apiHost}`))).toMatchObject(refused);
    expect([seen, fixture.dials]).toEqual([[], []]);
  });

  it('is not dialed for a client of HTTP/2 only', async () => {
    const { fixture, seen } = await open();
    const session = await dialHttp2(cleanups, fixture);
    const { body } = await responseOn(session.request({ ':path': '/' }));
    expect(JSON.parse(body)).toMatchObject(refused);
    expect([seen, fixture.dials]).toEqual([[], []]);
  });

  it('is not dialed for a target in absolute form, nor over plain http', async () => {
    const { fixture, seen } = await open();
    const askFor = async (scheme: string) =>
      await ask(
        await dialProxy(fixture),
        `GET ${scheme}://${apiHost}/ HTTP/1.1`,
        `Host: ${apiHost}`,
        `Proxy-Authorization: ${proxyAuthorization(fixture.run)}`,
      );
    expect(problemOf(await askFor('https'))).toMatchObject(refused);
    expect(problemOf(await askFor('http'))).toMatchObject({ code: 'PlainHttpRefused' });
    expect([seen, fixture.dials]).toEqual([[], []]);
  });

  it('gets the credential in the same run once it is approved', async () => {
    const { fixture, seen } = await open();
    fixture.run.replaceRoutes(compileRoutes([routeTo(apiHost)]), []);
    const client = await dialThrough(fixture);
    expect(await ask(client, 'GET / HTTP/1.1', `Host: ${apiHost}`)).toMatch(/^HTTP\/1\.1 200 /);
    expect(seen).toHaveLength(1);
  });

  it('is refused by that reason where the definition gained it during the run, too', async () => {
    const { fixture } = await openFixtureWithApi(cleanups);
    const late = 'late.other.test';
    fixture.run.replaceRoutes(compileRoutes([routeTo(apiHost), routeTo(late, { isApproved: false })]), []);
    const response = await connectTo(await dialProxy(fixture), fixture, `${late}:443`);
    expect(response).toMatch(/^HTTP\/1\.1 403 .*HostNotApproved/);
    expect(fixture.dials).toEqual([]);
  });
});
