import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { maintainFile } from './maintained-file.ts';

let path = '';
let maintained: { close(): void } | undefined;

beforeEach(() => {
  vi.useFakeTimers();
  path = join(mkdtempSync(join(tmpdir(), 'authsome-maintained-')), 'record.json');
});

afterEach(() => {
  maintained?.close();
  vi.useRealTimers();
  rmSync(join(path, '..'), { recursive: true, force: true });
});

it.each([
  ['is missing', () => {}],
  ['has other content', () => writeFileSync(path, 'another', { mode: 0o600 })],
  ['can be read by others', () => writeFileSync(path, 'mine', { mode: 0o644 })],
  ['is a pipe that nobody writes to', () => execFileSync('mkfifo', ['-m', '600', path])],
])('a maintained file is written again when it %s', (_, replace) => {
  maintained = maintainFile(path, 'mine', () => true);
  rmSync(path);
  replace();
  vi.advanceTimersByTime(2_000);
  expect(statSync(path).isFile()).toBe(true);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readFileSync(path, 'utf8')).toBe('mine');
});

it('a file whose home now belongs to another daemon is left alone', () => {
  maintained = maintainFile(path, 'mine', () => false);
  writeFileSync(path, 'of another daemon');
  vi.advanceTimersByTime(2_000);
  expect(readFileSync(path, 'utf8')).toBe('of another daemon');
});
