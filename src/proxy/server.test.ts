import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { cleanupsAfterEach } from './testing/test-cleanups.ts';
import {
  apiHost,
  openWorld,
  routeTo,
  secret,
  serveHttps,
  type World,
  type WorldOptions,
} from './testing/test-world.ts';

const run = promisify(execFile);
const cleanups = cleanupsAfterEach();

async function worldWithApi(options: WorldOptions = {}): Promise<{ world: World; seen: string[] }> {
  const seen: string[] = [];
  const server = await serveHttps((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      seen.push(JSON.stringify({ method: request.method, url: request.url, headers: request.headers }));
      response.end(`${request.method} ${request.url} ${Buffer.concat(chunks).length}`);
    });
  });
  const world = await openWorld(options);
  world.ports.set(`${apiHost}:443`, server.at);
  cleanups.push(
    () => server.close(),
    () => server.closeAllConnections(),
    () => world.close(),
  );
  return { world, seen };
}

async function curl(world: World, ...args: readonly string[]): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'authsome-proxy-'));
  try {
    const ca = join(directory, 'ca.pem');
    await writeFile(ca, world.run.caPem);
    const { stdout } = await run('curl', [
      '-sS',
      '--http1.1',
      '--max-time',
      '20',
      '--proxy',
      world.run.proxyUrl,
      '--cacert',
      ca,
      ...args,
    ]);
    return stdout;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

test('injects the credential for curl, which never has it', async () => {
  const { world, seen } = await worldWithApi();
  const out = await curl(world, '-H', 'Authorization: Bearer phantom', `https://${apiHost}/v1/things?x=1`);
  expect(out).toBe('GET /v1/things?x=1 0');
  expect(seen).toHaveLength(1);
  expect(seen[0]).toContain(`"authorization":"Bearer ${secret}"`);
  expect(seen[0]).not.toContain('phantom');
  expect(world.decisions).toHaveLength(1);
  expect(world.decisions[0]).toMatchObject({
    action: 'injected',
    outcome: 'injected',
    route: `example:${apiHost}/`,
    placement: 'header authorization',
  });
  expect(JSON.stringify(world.decisions)).not.toContain(secret);
});

test('curl posts a large body with Expect: 100-continue', async () => {
  const { world } = await worldWithApi();
  const out = await curl(
    world,
    '--data-binary',
    'x'.repeat(100_000),
    '-H',
    'Expect: 100-continue',
    `https://${apiHost}/upload`,
  );
  expect(out).toBe('POST /upload 100000');
});

test('a path outside every route passes without a credential', async () => {
  const { world, seen } = await worldWithApi({ routes: [routeTo(apiHost, { pathPrefix: '/v1' })] });
  await curl(world, `https://${apiHost}/v2/things`);
  expect(seen[0]).not.toContain(secret);
  expect(world.decisions[0]?.action).toBe('passed');
});
