import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openLogFile } from './log-file.ts';
import { safe, text } from './output/safe-text.ts';
import { styleFor } from './output/style.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'authsome-log-file-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const unused = (): never => {
  throw new TypeError('the test did not expect a failure');
};

it('adds lines to a file that is its owner’s alone, without marks and without what steers a terminal', () => {
  const file = join(directory, 'a.log');
  openLogFile(file, () => 0, unused)('info', text`${styleFor(true).bold(safe('bold'))}${'\rback'}`);
  openLogFile(file, () => 1_000, unused)('warn', 'second');
  expect(readFileSync(file, 'utf8')).toBe(
    '1970-01-01T00:00:00.000Z info bold\\u000dback\n1970-01-01T00:00:01.000Z warn second\n',
  );
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

it('refuses a file that cannot be written before there is anything to write', () => {
  expect(() => openLogFile(join(directory, 'nowhere/a.log'), () => 0, unused)).toThrow(
    expect.objectContaining({
      code: 'Usage',
      message: expect.stringMatching(/nowhere\/a\.log \(no such file or directory\)/),
    }),
  );
});

it('reports once that it cannot be written any more, and stops no command', () => {
  const file = join(directory, 'gone.log');
  const reports: string[] = [];
  const line = openLogFile(
    file,
    () => 0,
    (why) => reports.push(why),
  );
  rmSync(file);
  mkdirSync(file);
  line('info', 'one');
  line('info', 'two');
  expect(reports).toEqual([`the log file cannot be written: ${file} (it is a directory)`]);
});
