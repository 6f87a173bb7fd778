import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { cleanupsAfterEach } from './testing/test-cleanups.ts';
import {
  apiHost,
  type Fixture,
  type FixtureOptions,
  openFixture,
  routeTo,
  secret,
  serveHttps,
} from './testing/test-fixture.ts';

const run = promisify(execFile);
const cleanups = cleanupsAfterEach();

async function fixtureWithApi(options: FixtureOptions = {}): Promise<{ fixture: Fixture; seen: string[] }> {
  const seen: string[] = [];
  const server = await serveHttps((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      seen.push(JSON.stringify({ method: request.method, url: request.url, headers: request.headers }));
      response.end(`${request.method} ${request.url} ${Buffer.concat(chunks).length}`);
    });
  });
  const fixture = await openFixture(options);
  fixture.ports.set(`${apiHost}:443`, server.at);
  cleanups.push(
    () => server.close(),
    () => server.closeAllConnections(),
    () => fixture.close(),
  );
  return { fixture, seen };
}

async function curl(fixture: Fixture, ...args: readonly string[]): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'authsome-proxy-'));
  try {
    const ca = join(directory, 'ca.pem');
    await writeFile(ca, fixture.run.caPem);
    const { stdout } = await run('curl', [
      '-sS',
      '--http1.1',
      '--max-time',
      '20',
      '--proxy',
      fixture.run.proxyUrl,
      '--cacert',
      ca,
      ...args,
    ]);
    return stdout;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

it('injects the credential for curl, which never has it', async () => {
  const { fixture, seen } = await fixtureWithApi();
  const out = await curl(fixture, '-H', 'Authorization: Bearer phantom', `https://${apiHost}/v1/things?x=1`);
  expect(out).toBe('GET /v1/things?x=1 0');
  expect(seen).toHaveLength(1);
  expect(seen[0]).toContain(`"authorization":"Bearer ${secret}"`);
  expect(seen[0]).not.toContain('phantom');
  expect(fixture.decisions).toHaveLength(1);
  expect(fixture.decisions[0]).toMatchObject({
    action: 'injected',
    outcome: 'injected',
    route: `example:${apiHost}/`,
    placement: 'header authorization',
  });
  expect(JSON.stringify(fixture.decisions)).not.toContain(secret);
});

it('curl posts a large body with Expect: 100-continue', async () => {
  const { fixture } = await fixtureWithApi();
  const out = await curl(
    fixture,
    '--data-binary',
    'x'.repeat(100_000),
    '-H',
    'Expect: 100-continue',
    `https://${apiHost}/upload`,
  );
  expect(out).toBe('POST /upload 100000');
});

it('a path outside every route passes without a credential', async () => {
  const { fixture, seen } = await fixtureWithApi({ routes: [routeTo(apiHost, { pathPrefix: '/v1' })] });
  await curl(fixture, `https://${apiHost}/v2/things`);
  expect(seen[0]).not.toContain(secret);
  expect(fixture.decisions[0]?.action).toBe('passed');
});
