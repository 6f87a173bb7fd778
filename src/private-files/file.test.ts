import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPrivateFile, readPrivateFile, writePrivateFile } from './file.ts';

let base: string;
let path: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'authsome private-'));
  path = join(base, 'file');
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const refused = (message: RegExp, hint = /./) =>
  expect.objectContaining({
    code: 'HomeNotUsable',
    message: expect.stringMatching(message),
    hint: expect.stringMatching(hint),
  });

describe('a private file', () => {
  it('is written atomically, over an older one, and leaves no temporary one', () => {
    writePrivateFile(path, 'one');
    writePrivateFile(path, 'two');
    expect(readPrivateFile(path)).toBe('two');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(base)).toEqual(['file']);
  });

  it('that is created replaces none, and returns the text of the first one', () => {
    expect(createPrivateFile(path, 'first')).toBe('first');
    expect(createPrivateFile(path, 'second')).toBe('first');
    expect(readFileSync(path, 'utf8')).toBe('first');
    expect(readdirSync(base)).toEqual(['file']);
  });

  it('that is not there is nothing', () => {
    expect(readPrivateFile(path)).toBeUndefined();
  });

  it('that others can read is refused, with the command that fixes it, quoted', () => {
    writePrivateFile(path, 'secret');
    chmodSync(path, 0o640);
    const fix = new RegExp(`^Run: chmod 600 '${path}'$`);
    expect(() => readPrivateFile(path)).toThrow(refused(/can be reached by other users \(mode 0640\)/, fix));
    expect(() => readPrivateFile(path, 'anybody')).toThrow(refused(/mode 0640/));
    expect(() => createPrivateFile(path, 'other')).toThrow(refused(/mode 0640/));
  });

  it.each([
    ['a symbolic link', () => symlinkSync(join(base, 'other'), path), /is a symbolic link/],
    ['a directory', () => mkdirSync(path, { mode: 0o700 }), /is not a file/],
    ['a pipe, which nobody waits at', () => spawnSync('mkfifo', ['-m', '600', path]), /is not a file/],
  ])('is not %s', (_what, put, message) => {
    writeFileSync(join(base, 'other'), 'foreign', { mode: 0o600 });
    put();
    expect(() => readPrivateFile(path)).toThrow(refused(message));
    expect(() => createPrivateFile(path, 'ours')).toThrow(refused(message));
    expect(readFileSync(join(base, 'other'), 'utf8')).toBe('foreign');
  });

  it('of a missing directory is reported with its path', () => {
    expect(() => writePrivateFile(join(base, 'gone/file'), 'x')).toThrow(
      refused(/gone\/file cannot be written: no such file or directory/),
    );
  });
});
