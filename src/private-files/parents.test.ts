import { chmodSync, chownSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parentFault } from './parents.ts';

let base: string;
beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'authsome parents-')));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

function directory(name: string, mode: number): string {
  const path = join(base, name);
  mkdirSync(path, { recursive: true });
  chmodSync(path, mode);
  return path;
}

const self = process.getuid?.() ?? -1;
const stranger = self + 4321;

describe.skipIf(process.platform === 'win32')('the directories above a home', () => {
  it('are fine when only this user can write to them, in sticky ones of the system too', () => {
    expect(parentFault(join(base, 'home'))).toBeUndefined();
    expect(parentFault(join(directory('mine', 0o755), 'home'))).toBeUndefined();
    expect(parentFault(join(directory('sticky', 0o1777), 'home'))).toBeUndefined();
  });

  it.each([
    [0o777, 'other users', 'go-w'],
    [0o757, 'other users', 'go-w'],
    // Though it is the group of this user alone: an access control list may be behind its bits.
    [0o775, 'its group', 'g-w'],
  ])('are refused with mode %o, with the command that fixes it', (mode, who, change) => {
    const open = directory('open', mode);
    mkdirSync(join(open, 'mine'), { mode: 0o700 });
    for (const home of [join(open, 'home'), join(open, 'mine', 'home'), join(open, 'not', 'yet')]) {
      expect(parentFault(home)).toMatchObject({
        message: `${open} can be written by ${who} (mode 0${mode.toString(8)}), who could replace the home in it`,
        fix: `chmod ${change} '${open}'`,
      });
    }
    chmodSync(open, mode & ~0o022);
    expect(parentFault(join(open, 'home'))).toBeUndefined();
  });

  it('are looked at on both sides of a symbolic link', () => {
    const open = directory('open', 0o777);
    mkdirSync(join(open, 'mine'), { mode: 0o700 });
    const safe = directory('safe', 0o755);
    symlinkSync('../open/mine', join(safe, 'into'));
    symlinkSync(safe, join(open, 'out'));
    symlinkSync(join(open, 'out'), join(safe, 'around'));
    for (const way of ['safe/into', 'open/out', 'safe/around']) {
      expect([way, parentFault(join(base, way, 'home'))?.message]).toEqual([
        way,
        `${open} can be written by other users (mode 0777), who could replace the home in it`,
      ]);
    }
    symlinkSync(join(base, 'loop'), join(base, 'loop'));
    expect(parentFault(join(base, 'loop', 'home'))).toBeUndefined();
  });

  it('are refused when they belong to somebody else, but not when they are root’s', () => {
    const asStranger = { self: stranger, unmapped: undefined };
    const fault = parentFault(join(base, 'home'), asStranger);
    if (self === 0) expect(fault).toBeUndefined();
    else expect(fault?.message).toMatch(/belongs to another user/);
    expect(parentFault(join(base, 'home'), { self: stranger, unmapped: self })).toBeUndefined();
  });

  it.runIf(self === 0)(
    'are refused when a stranger owns one of them, sticky or not, or a link to them',
    () => {
      const foreign = directory('foreign', 0o1777);
      chownSync(foreign, stranger, stranger);
      expect(parentFault(join(foreign, 'home'))).toMatchObject({
        message: `${foreign} belongs to another user, who could replace the home in it`,
        fix: undefined,
      });
    },
  );
});
