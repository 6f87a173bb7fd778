/** Tools that read their rewritten files in a run: the service gets the key that the file had. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type Fixture, openFixture } from '../support/fixture.ts';
import { createThrowawayCa } from '../support/service/index.ts';

const github = `ghp_${'aB3dE6gH9j'.repeat(4).slice(0, 36)}`;
const gitlab = `glpat-${'zY1xW4vU7t'.repeat(2)}`;
const hosts = ['github.com', 'api.github.com', 'gitlab.com', 'npm.pkg.github.com'];

let fixture: Fixture;
let server: Server;
let directory: string;
/** Host and credential of each request that had one, Basic decoded. */
let seen: string[] = [];

const files: Readonly<Record<string, string>> = {
  '.netrc': `machine api.github.com login me password ${github}\n`,
  '.npmrc': `//npm.pkg.github.com/:_authToken=${github}\n@me:registry=https://npm.pkg.github.com\n`,
  '.git-credentials': `https://me:${github}@github.com\nhttps://oauth2:${gitlab}@gitlab.com\n`,
  '.gitconfig': '[credential]\n\thelper = store\n',
};

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'authsome-scan-tools-'));
  const ca = await createThrowawayCa('Throwaway tools CA');
  const { certPem: cert, keyPem: key } = await ca.issue(hosts);
  server = createServer({ cert, key }, ({ headers }, response) => {
    const [scheme = '', credential = ''] = headers.authorization?.split(' ') ?? [];
    if (scheme === '') response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' });
    else {
      const text = scheme === 'Basic' ? Buffer.from(credential, 'base64').toString() : credential;
      seen.push(`${headers.host} ${text.split(':').at(-1)}`);
    }
    response.end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const caFile = join(directory, 'ca.pem');
  writeFileSync(caFile, ca.caPem);
  fixture = await openFixture({
    AUTHSOME_RESOLVE: hosts.map((host) => `${host}:443:127.0.0.1:${port}`).join(','),
    AUTHSOME_EXTRA_CA_CERTS: caFile,
  });
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(fixture.directory, name)), { recursive: true });
    writeFileSync(join(fixture.directory, name), text);
  }
  expect((await fixture.authsome(['scan', '--machine', '--rewrite'])).code).toBe(0);
  for (const name of Object.keys(files)) {
    expect(readFileSync(join(fixture.directory, name), 'utf8')).not.toMatch(/aB3dE6gH9j|zY1xW4vU7t/);
  }
});
afterAll(async () => {
  await fixture.close();
  server.closeAllConnections();
  server.close();
  rmSync(directory, { recursive: true, force: true });
});
beforeEach(() => {
  seen = [];
});

it.each([
  ['curl, from .netrc', 'curl -sS -n https://api.github.com/user', `api.github.com ${github}`],
  ['git, from .git-credentials', 'git ls-remote https://github.com/me/x.git', `github.com ${github}`],
  ['git, of another host', 'git ls-remote https://gitlab.com/me/x.git', `gitlab.com ${gitlab}`],
  ['npm, from .npmrc', 'npm view @me/x --fetch-retries=0', `npm.pkg.github.com ${github}`],
])('%s', async (_, command, expected) => {
  const { stdout, stderr } = await fixture.authsome(['run', '--', 'sh', '-c', command], {
    env: { GIT_TERMINAL_PROMPT: '0', NPM_CONFIG_UPDATE_NOTIFIER: 'false' },
  });
  expect(stdout + stderr).not.toMatch(/aB3dE6gH9j|zY1xW4vU7t/);
  expect(new Set(seen)).toEqual(new Set([expected]));
});
