import { randomBytes } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HealthDocument, WhoamiDocument } from '../client/index.ts';
import {
  type Fixture,
  openFixture,
  plainRequest,
  secretIn,
  signedHeaders,
  testIdentity,
} from '../daemon/test-daemon.ts';
import { daemonProof, instanceHeader, proofHeader } from '../identity/index.ts';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await openFixture();
});
afterAll(() => fixture.close());

const rawRequest = (method: string, path: string, headers: Record<string, string>, body = '') =>
  plainRequest(fixture.daemon.url, method, path, headers, body);

const signed = (method: string, target: string, text = '', identity = fixture.identity) =>
  signedHeaders({
    origin: fixture.daemon.url,
    identity,
    method,
    target,
    text,
    secret: secretIn(fixture.home),
  });

describe('what anybody may ask', () => {
  it('says that it is alive, and nothing more', async () => {
    const { status, text, headers } = await rawRequest('GET', '/health', {});
    expect(status).toBe(200);
    expect(JSON.parse(text) as HealthDocument).toEqual({
      v: 1,
      service: 'authsome',
      status: 'ok',
      version: '0.0.0-test',
      pid: process.pid,
    });
    expect(headers['cache-control']).toBe('no-store');
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['access-control-allow-origin']).toBeUndefined();
  });

  it('is ready', async () => {
    const { status, text } = await rawRequest('GET', '/ready', {});
    expect(status).toBe(200);
    expect(JSON.parse(text)).toMatchObject({ v: 1, ready: true });
  });

  it('answers an unknown path with an error document', async () => {
    const { status, text, headers } = await rawRequest('GET', '/nowhere', {});
    expect(status).toBe(404);
    expect(JSON.parse(text)).toMatchObject({ v: 1, error: 'Usage' });
    expect(headers['cache-control']).toBe('no-store');
  });
});

describe('who is kept out', () => {
  it('refuses a name that was rebound to this address', async () => {
    for (const host of ['evil.example', `evil.example:${new URL(fixture.daemon.url).port}`, '127.0.0.1']) {
      const { status, text } = await rawRequest('GET', '/health', { host });
      expect(status).toBe(403);
      expect(text).not.toContain('"status":"ok"');
    }
  });

  it('refuses an absolute target that names another host', async () => {
    const { status } = await rawRequest('GET', 'http://evil.example/health', {});
    expect(status).toBe(403);
  });

  it('refuses a page of another origin, whatever it asks for', async () => {
    for (const origin of ['http://evil.example', 'http://127.0.0.1:1', 'null']) {
      const { status } = await rawRequest('POST', '/v1/daemon/stop', { origin }, '{"when":"now"}');
      expect(status).toBe(403);
    }
    const crossSite = await rawRequest('GET', '/health', { 'sec-fetch-site': 'cross-site' });
    expect(crossSite.status).toBe(403);
    const sameSite = await rawRequest('GET', '/health', { 'sec-fetch-site': 'same-site' });
    expect(sameSite.status).toBe(403);
  });

  it('refuses a call without a signature, and proves nothing to its caller', async () => {
    const { status, text, headers } = await rawRequest('GET', '/v1/whoami', { signature: 'sig=:AAAA:' });
    expect(status).toBe(401);
    expect(JSON.parse(text)).toMatchObject({ error: 'RequestNotAuthentic' });
    expect(headers[proofHeader]).toBeUndefined();
  });

  it.each([
    ['is too old', -61_000, /signed 6\d seconds ago, and 60 are allowed$/],
    ['comes from the future', 8_000, /signed \d seconds from now, and 5 are allowed$/],
  ])('refuses a call that %s, and names the clocks', async (_, offsetMs, message) => {
    const response = await fixture.call('GET', '/v1/whoami', undefined, { nowMs: Date.now() + offsetMs });
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({
      error: 'RequestNotAuthentic',
      message: expect.stringMatching(message),
      hint: 'Set the clocks of both machines, then try again.',
    });
  });

  it('refuses a call that is not for this start of the daemon, and names this start', async () => {
    const call = {
      origin: fixture.daemon.url,
      identity: fixture.identity,
      method: 'GET',
      target: '/v1/whoami',
    };
    expect((await fixture.call('GET', '/v1/whoami')).status).toBe(200);
    const names = new Set<unknown>();
    for (const other of [{}, { instance: 'another' }, { secret: randomBytes(32) }]) {
      const headers = signedHeaders({ ...call, text: '', ...other });
      const refused = await rawRequest('GET', '/v1/whoami', headers);
      expect(refused.status).toBe(401);
      expect(refused.text).toContain('it was signed for another start of the daemon');
      names.add(refused.headers[instanceHeader]);
    }
    expect(names.size).toBe(1);
    const instance = String([...names][0]);
    const accepted = await rawRequest('GET', '/v1/whoami', signedHeaders({ ...call, text: '', instance }));
    expect(accepted.status).toBe(200);
    await fixture.restart();
    const renamed = { ...call, origin: fixture.daemon.url, text: '', instance };
    expect((await rawRequest('GET', '/v1/whoami', signedHeaders(renamed))).status).toBe(401);
  });

  it('refuses the same call a second time', async () => {
    await fixture.call('GET', '/v1/whoami');
    const headers = signed('GET', '/v1/whoami');
    expect((await rawRequest('GET', '/v1/whoami', headers)).status).toBe(200);
    expect((await rawRequest('GET', '/v1/whoami', headers)).status).toBe(401);
  });

  it('refuses a body that is not the one that was signed', async () => {
    const headers = signed('POST', '/v1/daemon/stop', '{"when":"idle"}');
    const { status } = await rawRequest('POST', '/v1/daemon/stop', headers, '{"when":"now"}');
    expect(status).toBe(401);
  });

  it('refuses an endless body', async () => {
    const response = await fixture.call('POST', '/v1/daemon/stop', { when: 'x'.repeat(2 * 1024 * 1024) });
    expect(response.status).toBe(400);
  });
});

describe('who is let in', () => {
  it('makes the first identity the owner, and refuses the next one with a hint', async () => {
    const first = (await (await fixture.call('GET', '/v1/whoami')).json()) as WhoamiDocument;
    expect(first).toMatchObject({
      v: 1,
      identity: 'tester@machine',
      did: fixture.identity.did,
      principal: { role: 'admin' },
      home: fixture.home,
      daemon: { url: fixture.daemon.url, pid: process.pid },
    });
    const other = await fixture.call('GET', '/v1/whoami', undefined, { identity: testIdentity('stranger') });
    expect(other.status).toBe(403);
    expect(await other.json()).toMatchObject({ error: 'IdentityNotAllowed', hint: expect.any(String) });
  });

  it('makes nobody the owner for having reached the port first', async () => {
    const fresh = await openFixture();
    const mallory = { identity: testIdentity('mallory'), fromElsewhere: true };
    expect((await fresh.call('GET', '/v1/whoami', undefined, mallory)).status).toBe(403);
    const owner = (await (await fresh.call('GET', '/v1/whoami')).json()) as WhoamiDocument;
    expect(owner.identity).toBe('tester@machine');
    expect((await fresh.call('GET', '/v1/whoami', undefined, mallory)).status).toBe(403);
    await fresh.close();
  });

  it('does not let identities that are not admitted fill its memory for nonces', async () => {
    const headers = signed('GET', '/v1/whoami', '', testIdentity('stranger'));
    // Not `401`, which would say that the first one was remembered.
    expect((await rawRequest('GET', '/v1/whoami', headers)).status).toBe(403);
    expect((await rawRequest('GET', '/v1/whoami', headers)).status).toBe(403);
  });

  it('calls an identity by the handle it was admitted with', async () => {
    const renamed = { ...fixture.identity, handle: 'somebody-else' };
    const response = await fixture.call('GET', '/v1/whoami', undefined, { identity: renamed });
    expect(await response.json()).toMatchObject({ identity: 'tester@machine' });
  });

  it('proves to the caller that it is the daemon of this home', async () => {
    const record = JSON.parse(readFileSync(join(fixture.home, 'server/daemon.json'), 'utf8')) as {
      secret: string;
    };
    expect(statSync(join(fixture.home, 'server/daemon.json')).mode & 0o777).toBe(0o600);
    const headers = signed('GET', '/v1/nowhere');
    const answer = await rawRequest('GET', '/v1/nowhere', headers);
    const proof = daemonProof(Buffer.from(record.secret, 'base64url'), headers.signature ?? '');
    expect(answer.status).toBe(404);
    expect(answer.headers[proofHeader]).toBe(proof);
  });

  it('names the field of a body that is wrong, without quoting it', async () => {
    const response = await fixture.call('POST', '/v1/daemon/stop', { when: 'hunter2' });
    expect(response.status).toBe(400);
    const text = await response.text();
    expect(text).toContain('/when');
    expect(text).not.toContain('hunter2');
    expect(response.headers.get(proofHeader)).not.toBeNull();
  });
});
