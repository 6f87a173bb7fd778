import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makePrivateDirectory } from './directory.ts';

let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'authsome-private-'));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

describe('a private directory', () => {
  it('is created with its missing parents, and nobody else can enter any of them', () => {
    const path = join(base, 'a/b/c');
    makePrivateDirectory(path);
    for (const made of [path, join(base, 'a/b'), join(base, 'a')])
      expect(statSync(made).mode & 0o777).toBe(0o700);
  });

  it('that exists stays as it is', () => {
    const path = join(base, 'a');
    makePrivateDirectory(path);
    writeFileSync(join(path, 'file'), 'x');
    makePrivateDirectory(path);
    makePrivateDirectory('/');
    expect(statSync(join(path, 'file')).size).toBe(1);
  });

  it.each([
    ['a file', (path: string) => writeFileSync(path, '')],
    ['a link to nowhere', (path: string) => symlinkSync(join(base, 'nowhere'), path)],
  ])('is not made under %s, nor in its place', (_what, put) => {
    const path = join(base, 'taken');
    put(path);
    for (const wanted of [path, join(path, 'home'), join(path, 'home/server')]) {
      expect(() => makePrivateDirectory(wanted)).toThrow(
        expect.objectContaining({
          code: 'HomeNotUsable',
          message: expect.stringMatching(
            /^\/.* cannot be created \(a file is in (its place|the place of a parent)\)$/,
          ),
        }),
      );
    }
    expect(statSync(join(base, 'nowhere'), { throwIfNoEntry: false })).toBeUndefined();
  });
});
