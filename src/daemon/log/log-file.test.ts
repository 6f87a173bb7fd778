import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openLog } from './log.ts';

const maxBytes = 4_000;
let directory: string;
let path: string;
let descriptor: number;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'authsome-log-'));
  path = join(directory, 'daemon.log');
  const { O_WRONLY, O_APPEND, O_CREAT } = constants;
  descriptor = openSync(path, O_WRONLY | O_APPEND | O_CREAT, 0o600);
});
afterEach(() => {
  closeSync(descriptor);
  rmSync(directory, { recursive: true, force: true });
});

const linesOf = (file: string): readonly string[] => readFileSync(file, 'utf8').trimEnd().split('\n');
const numbersOf = (file: string): readonly number[] => linesOf(file).map((line) => JSON.parse(line).n);

const linkOf = (file: string): string => {
  try {
    return readlinkSync(file);
  } catch {
    return '';
  }
};

describe('the log of a daemon in the background', () => {
  it('is three files at most, none much larger than it may be, with every one of the newest lines complete', () => {
    const log = openLog(descriptor, 'info', { path, maxBytes });
    for (let n = 1; n <= 300; n += 1) log.info('a line', { n });
    expect(readdirSync(directory).sort()).toEqual(['daemon.log', 'daemon.log.1', 'daemon.log.2']);
    for (const name of readdirSync(directory)) {
      const { mode, size } = statSync(join(directory, name));
      expect([name, mode & 0o777, size < maxBytes + 200]).toEqual([name, 0o600, true]);
    }
    const kept = [`${path}.2`, `${path}.1`, path].flatMap(numbersOf);
    expect(kept.at(-1)).toBe(300);
    expect(kept).toEqual(Array.from(kept, (_, index) => (kept[0] ?? 0) + index));
    expect(kept.length).toBeGreaterThan(60);
  });

  it('appends to what another daemon has left in it', () => {
    for (let n = 1; n <= 60; n += 1) {
      // Each of these writes less than would fill a file.
      openLog(descriptor, 'info', { path, maxBytes }).info('a line', { n });
    }
    expect(numbersOf(`${path}.1`).length).toBeGreaterThan(10);
  });

  it('keeps being written where no new file can take its place', () => {
    // Neither a file nor to be removed as one.
    mkdirSync(`${path}.new`);
    const log = openLog(descriptor, 'info', { path, maxBytes });
    for (let n = 1; n <= 100; n += 1) log.info('a line', { n });
    expect(numbersOf(path).length).toBe(100);
  });

  it.runIf(existsSync('/proc/self/fd'))('keeps no file open that it could not put in its place', () => {
    // A file does not take the place of a directory.
    mkdirSync(join(`${path}.1`, 'not empty'), { recursive: true });
    const log = openLog(descriptor, 'info', { path, maxBytes });
    const ofLog = (): number =>
      readdirSync('/proc/self/fd').filter((name) => linkOf(`/proc/self/fd/${name}`).startsWith(path)).length;
    mkdirSync(join(`${path}.2`, 'not empty'), { recursive: true });
    for (let n = 1; n <= 300; n += 1) log.info('a line', { n });
    expect(ofLog()).toBe(1);
    expect(numbersOf(path).length).toBe(300);
  });
});

it('a log that goes elsewhere leaves the file alone', () => {
  const terminal = join(directory, 'elsewhere');
  const other = openSync(terminal, 'a', 0o600);
  const log = openLog(other, 'info', { path, maxBytes });
  for (let n = 1; n <= 100; n += 1) log.info('a line', { n });
  closeSync(other);
  expect(numbersOf(terminal).length).toBe(100);
  expect(readdirSync(directory).sort()).toEqual(['daemon.log', 'elsewhere']);
});
