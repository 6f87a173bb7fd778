/** A product that is signed in to a service which sends back what it is asked to. For tests of what a run gets to see. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { echoHost, startEchoService } from './echo-service.ts';
import { type Fixture, openFixture, register } from './fixture.ts';

/** With the connection `echo/default`, whose secret is this. */
export async function openEchoFixture(secret: string): Promise<Fixture> {
  const echo = await startEchoService();
  const directory = mkdtempSync(join(tmpdir(), 'authsome-echo-'));
  const caFile = join(directory, 'ca.pem');
  writeFileSync(caFile, echo.caPem);
  const fixture = await openFixture({ AUTHSOME_RESOLVE: echo.resolve, AUTHSOME_EXTRA_CA_CERTS: caFile });
  await register(fixture, {
    schema_version: 1,
    name: 'echo',
    display_name: 'Echo',
    auth_type: 'api_key',
    flow: 'api_key',
    api_url: `https://${echoHost}`,
    api_key: { header_name: 'Authorization', header_prefix: 'Bearer', env_var: 'ECHO_KEY' },
  });
  const login = await fixture.authsome(['login', 'echo', '--yes'], { env: { ECHO_KEY: secret } });
  expect(login).toMatchObject({ code: 0 });
  return {
    ...fixture,
    async close() {
      await fixture.close();
      echo.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
