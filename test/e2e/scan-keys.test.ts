/** After a rewrite, the key that goes out is the one that the file had: with the lines that the rewrite has said. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Fixture, openFixture } from '../support/fixture.ts';
import { createThrowawayCa } from '../support/service/index.ts';

const test = `sk-proj-${'aB3dE6gH9j'.repeat(5)}`;
const live = `sk-proj-${'zY1xW4vU7t'.repeat(5)}`;
const url = 'https://api.openai.com/v1/models';

let fixture: Fixture;
let server: Server;
let directory: string;
let seen: (string | undefined)[] = [];
let lines: readonly string[] = [];

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'authsome-scan-keys-'));
  const ca = await createThrowawayCa('Throwaway scan CA');
  const { certPem: cert, keyPem: key } = await ca.issue(['api.openai.com']);
  server = createServer({ cert, key }, (request, response) => {
    seen.push(request.headers.authorization);
    response.end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const caFile = join(directory, 'ca.pem');
  writeFileSync(caFile, ca.caPem);
  fixture = await openFixture({
    AUTHSOME_RESOLVE: `api.openai.com:443:127.0.0.1:${(server.address() as AddressInfo).port}`,
    AUTHSOME_EXTRA_CA_CERTS: caFile,
  });
  writeFileSync(join(directory, '.env'), `OPENAI_API_KEY=${test}\n`);
  writeFileSync(join(directory, '.env.production'), `OPENAI_API_KEY="${live}"\n`);
  const rewriting = await fixture.authsome(['scan', '--rewrite'], { cwd: directory });
  expect(rewriting.code).toBe(0);
  lines = rewriting.stderr.split('\n').filter((line) => line.startsWith('Start what reads '));
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

/** A shell that reads the file itself, or a program that prefers what is in its environment already. */
const readings = {
  'a shell': (file: string) => [
    'sh',
    '-c',
    `. ./${file}; exec curl -sS -H "Authorization: Bearer $OPENAI_API_KEY" ${url}`,
  ],
  'a program like dotenv': (file: string) => [
    process.execPath,
    `--env-file=${file}`,
    '-e',
    `require('node:child_process').execFileSync('curl', ['-sS', '-H', 'Authorization: Bearer ' + process.env.OPENAI_API_KEY, '${url}'])`,
  ],
};
const run = async (options: readonly string[], command: readonly string[]) => {
  const outcome = await fixture.authsome(['run', ...options, '--', ...command], { cwd: directory });
  expect(outcome.stdout + outcome.stderr).not.toMatch(/aB3dE6gH9j|zY1xW4vU7t/);
  return outcome.stdout;
};

describe('after scan --rewrite', () => {
  it('no file has its key, and each says how to start what reads it', () => {
    const texts = ['.env', '.env.production'].map((name) => readFileSync(join(directory, name), 'utf8'));
    expect(texts.join('')).not.toMatch(/aB3dE6gH9j|zY1xW4vU7t/);
    expect(lines).toEqual([
      'Start what reads .env with: authsome run -- <what you start>',
      'Start what reads .env.production with: authsome run --connection openai=production -- <what you start>',
    ]);
  });

  it.each([
    ['.env', 'a shell', test],
    ['.env', 'a program like dotenv', test],
    ['.env.production', 'a shell', live],
    ['.env.production', 'a program like dotenv', live],
  ] as const)('the key of %s is sent, where %s reads it', async (file, reading, key) => {
    const line = lines.find((each) => each.includes(` ${file} `)) ?? '';
    const options = /authsome run (.*)-- /.exec(line)?.[1]?.trim().split(' ') ?? [];
    await run(
      options.filter((option) => option !== ''),
      readings[reading](file),
    );
    expect(seen).toEqual([`Bearer ${key}`]);
  });

  it('each key is sent in one run that has both connections, by the phantom of its file', async () => {
    const both = ['--connection', 'openai=default', '--connection', 'openai=production'];
    const script = ['.env', '.env.production', '.env']
      .map((file) => `(. ./${file}; curl -sS -H "Authorization: Bearer $OPENAI_API_KEY" ${url})`)
      .join('; ');
    await run(both, ['sh', '-c', script]);
    expect(seen).toEqual([test, live, test].map((key) => `Bearer ${key}`));
  });

  it('nothing is sent in a run without the connection of the file', async () => {
    const problem = await run([], readings['a shell']('.env.production'));
    expect(seen).toEqual([]);
    expect(problem).toContain('openai/production');
  });
});
