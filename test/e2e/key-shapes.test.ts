import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Fixture, openFixture } from '../support/fixture.ts';
import { createThrowawayCa } from '../support/service/index.ts';

const host = 'api.anthropic.com';
let fixture: Fixture;
let service: Server;
let directory: string;

/** The bundled definition, with a stand-in for the service that sends back the headers of interest. */
beforeAll(async () => {
  const ca = await createThrowawayCa('Throwaway CA');
  const { certPem: cert, keyPem: key } = await ca.issue([host]);
  service = createServer({ cert, key }, ({ headers }, response) => {
    const { authorization = '', 'x-api-key': apiKey = '', 'anthropic-beta': beta = '' } = headers;
    // Reversed, so that scrubbing does not find what was sent.
    const shown = { authorization, apiKey, beta };
    response.end(Array.from(JSON.stringify(shown)).reverse().join(''));
  });
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  directory = mkdtempSync(join(tmpdir(), 'authsome-shapes-'));
  const caFile = join(directory, 'ca.pem');
  writeFileSync(caFile, ca.caPem);
  const port = (service.address() as AddressInfo).port;
  fixture = await openFixture({
    AUTHSOME_RESOLVE: `${host}:443:127.0.0.1:${port}`,
    AUTHSOME_EXTRA_CA_CERTS: caFile,
  });
});
afterAll(async () => {
  await fixture.close();
  service.close();
  service.closeAllConnections();
  rmSync(directory, { recursive: true, force: true });
});

async function sent(key: string): Promise<unknown> {
  const login = await fixture.authsome(['login', 'anthropic', '--force'], { stdin: `${key}\n` });
  expect(login).toMatchObject({ code: 0 });
  const script = `curl -s -H "x-api-key: $ANTHROPIC_API_KEY" -H 'anthropic-beta: mine' https://${host}/v1/messages`;
  const { stdout } = await fixture.authsome(['run', '--', 'sh', '-c', script]);
  return JSON.parse(Array.from(stdout).reverse().join(''));
}

it('sends a key where its shape says that the service wants it', async () => {
  const token = `sk-ant-oat01-${'a1B2'.repeat(20)}`;
  expect(await sent(token)).toEqual({
    authorization: `Bearer ${token}`,
    apiKey: '',
    beta: expect.stringMatching(/^mine, ?oauth-2025-04-20$/),
  });
  const key = `sk-ant-api03-${'a1B2'.repeat(20)}`;
  expect(await sent(key)).toEqual({ authorization: '', apiKey: key, beta: 'mine' });
});

it('refuses a key of no shape', async () => {
  const { code, stderr } = await fixture.authsome(['login', 'anthropic', '--force'], {
    stdin: 'sk-other-1\n',
  });
  expect(code).toBe(10);
  expect(stderr).toContain("doesn't look like an API key for Anthropic");
});
