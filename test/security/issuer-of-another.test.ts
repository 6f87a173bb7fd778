import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { evilHost, issuer, silentHost, startToolService, type ToolService } from '../e2e/tool-service.ts';
import { type Fixture, openFixture } from '../support/fixture.ts';

/**
 * The attack: a service publishes metadata that names an honest issuer, and token and registration endpoints of its own.
 * Who took that for the honest issuer's would send code and verifier to the service, under the honest name. authsome
 * takes metadata for a sibling of the typed host, so another domain is where this has to end.
 */
let service: ToolService;
let fixture: Fixture;
const here = `https://${evilHost}`;

beforeAll(async () => {
  service = await startToolService();
  fixture = await openFixture({ AUTHSOME_RESOLVE: service.resolve });
  const caFile = join(fixture.directory, 'ca.pem');
  writeFileSync(caFile, service.caPem);
  Object.assign(fixture.env, { AUTHSOME_EXTRA_CA_CERTS: caFile });
});
afterAll(async () => {
  await fixture.close();
  await service.close();
});
beforeEach(() => {
  service.seen.length = 0;
});

it.each([
  ['that confirms itself', issuer],
  ['that publishes nothing', `https://${silentHost}`],
])('refuses metadata for an issuer of another domain %s', async (_, honest) => {
  const metadata = {
    issuer: honest,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${here}/token`,
    registration_endpoint: `${here}/reg`,
  };
  for (const issuers of [[], [here]]) {
    service.strayTo(issuers, metadata);
    const failure = await fixture.json(['login', `${here}/mcp`], 10);
    expect(failure).toMatchObject({
      error: 'SignInFailed',
      message: 'the authorization server metadata names another issuer',
    });
  }
  expect(service.seen.filter((line) => !line.startsWith(`${evilHost} `))).toEqual([]);
  expect(service.seen.filter((line) => /POST (?!\/mcp$)/.test(line))).toEqual([]);
  expect(service.registered).toEqual([]);
  const definitions = join(fixture.home, 'providers');
  expect(existsSync(definitions) ? readdirSync(definitions) : []).toEqual([]);
});
