import { chmodSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writePrivateFile } from '../../private-files/index.ts';
import { homeAt, prepareHome } from './home.ts';

let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'authsome-home-'));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

describe('a home', () => {
  it('is made with directories that nobody else can enter', () => {
    const home = homeAt(join(base, 'home'));
    prepareHome(home);
    for (const directory of [home.path, home.server, home.logs, home.runs, home.providers]) {
      expect(statSync(directory).mode & 0o777).toBe(0o700);
    }
    prepareHome(home);
  });

  it('is refused when others can enter it, with the command that fixes it', () => {
    const home = homeAt(join(base, 'my home'));
    prepareHome(home);
    chmodSync(home.path, 0o755);
    expect(() => prepareHome(home)).toThrow(
      expect.objectContaining({ code: 'HomeNotUsable', hint: `Run: chmod 700 '${home.path}'` }),
    );
  });

  it('is refused when others can read a file of the server', () => {
    const home = homeAt(join(base, 'home'));
    prepareHome(home);
    writePrivateFile(home.daemonFile, '{}');
    chmodSync(home.daemonFile, 0o644);
    expect(() => prepareHome(home)).toThrow(
      expect.objectContaining({ code: 'HomeNotUsable', hint: `Run: chmod 600 ${home.daemonFile}` }),
    );
  });

  it('is refused when it is a symbolic link', () => {
    prepareHome(homeAt(join(base, 'real')));
    symlinkSync(join(base, 'real'), join(base, 'link'));
    expect(() => prepareHome(homeAt(join(base, 'link')))).toThrow(/is a symbolic link/);
  });
});
