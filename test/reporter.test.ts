import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import type { Results } from './support/reporter.ts';

const root = resolve(import.meta.dirname, '..');

it('counts the tests of a run, and names those that were retried', () => {
  const directory = mkdtempSync(join(tmpdir(), 'authsome-reporter-'));
  try {
    writeFileSync(
      join(directory, 'some.test.js'),
      `let runs = 0;
       it('passes at once', () => {});
       describe('a group', () => {
         it('passes when it is retried', () => expect(++runs).toBe(2));
         it('fails even so', () => expect(1).toBe(2));
       });`,
    );
    const file = join(directory, 'results.json');
    const vitest = join(root, 'node_modules/vitest/vitest.mjs');
    const reporter = `--reporter=${join(root, 'test/support/reporter.ts')}`;
    const run = spawnSync(
      process.execPath,
      [vitest, 'run', '--root', directory, '--globals', '--retry=1', reporter],
      { cwd: directory, env: { PATH: process.env.PATH, AUTHSOME_TEST_RESULTS: file }, encoding: 'utf8' },
    );
    expect(run.status, run.stderr).toBe(1);
    const results: Results = JSON.parse(readFileSync(file, 'utf8'));
    expect(results).toEqual({
      total: 3,
      passed: 2,
      retried: [
        'some.test.js > a group > passes when it is retried',
        'some.test.js > a group > fails even so',
      ],
    });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
