import { randomBytes } from 'node:crypto';
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
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { matchesInFile, readerOf } from '../../scan/index.ts';
import { openBackups } from './backups.ts';
import { chooseFiles, machineFiles } from './file-choice.ts';
import { replaceSourceFile, requireReplaceable } from './file-replacement.ts';
import { rewriteFiles } from './rewrite.ts';
import { readSourceFile } from './source-file.ts';
import { undoRewrite } from './undo.ts';

let directory: string;
const path = (name: string) => join(directory, name);
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'authsome-scan-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe('which files are read', () => {
  it('takes the .env* files of a directory, and no directory of that name', () => {
    for (const name of ['.env', '.env.local', '.envrc', 'env', '.bashrc']) writeFileSync(path(name), '');
    mkdirSync(path('.env.d'));
    expect(chooseFiles([], directory).files.map(({ shown, reader }) => [shown, reader.name])).toEqual([
      ['.env', 'env'],
      ['.env.local', 'env'],
      ['.envrc', 'shell'],
    ]);
  });

  it.each([
    ['.bashrc', 'shell'],
    ['.bash_profile', 'shell'],
    ['.profile', 'shell'],
    ['.zshenv', 'shell'],
    ['.zprofile', 'shell'],
    ['setup.sh', 'shell'],
    ['.env.sh', 'shell'],
    ['prod.env', 'env'],
    ['.dev.vars', 'env'],
    ['.env.profile', 'env'],
    ['credentials', 'env'],
  ])('reads a named %s as %s', (name, syntax) => {
    writeFileSync(path(name), '');
    expect(chooseFiles([name], directory).files).toMatchObject([{ reader: { name: syntax }, isNamed: true }]);
  });

  it('searches the directories below, and passes over those of others and links', () => {
    for (const name of ['a/b', 'a/.git', 'node_modules/x', '.env.d', '.cursor'])
      mkdirSync(path(name), { recursive: true });
    const files = ['a/b/.env', 'a/.npmrc', '.cursor/mcp.json', '.env.d/.env', '.env.d/plain', 'a/b/.bashrc'];
    for (const name of [...files, 'a/.git/.env', 'node_modules/x/.env']) writeFileSync(path(name), '');
    symlinkSync(path('a'), path('link'));
    const { files: found, omissions } = chooseFiles([], directory);
    expect(found.map(({ shown }) => shown)).toEqual([
      '.cursor/mcp.json',
      '.env.d/.env',
      'a/.npmrc',
      'a/b/.env',
    ]);
    expect(omissions).toEqual([]);
  });

  it('stops at a depth and at a number, and says so', () => {
    mkdirSync(path('a/b'), { recursive: true });
    for (const name of ['.env', 'a/.env', 'a/b/.env']) writeFileSync(path(name), '');
    const shown = (limits: { depth: number; entries: number }) => {
      const { files, omissions } = chooseFiles([], directory, limits);
      return [files.map((file) => file.shown), omissions];
    };
    expect(shown({ depth: 1, entries: 100 })).toEqual([['.env', 'a/.env'], []]);
    expect(shown({ depth: 9, entries: 3 })).toEqual([
      ['.env', 'a/.env'],
      [expect.stringMatching(/^Stopped after 3 files and directories in .+\. Name a directory further down/)],
    ]);
  });

  it('looks at the well-known places that there are, and names them from the home', () => {
    for (const name of ['.netrc', '.docker/config.json', 'x/gh/hosts.yml']) {
      mkdirSync(dirname(path(name)), { recursive: true });
      writeFileSync(path(name), '');
    }
    mkdirSync(path('.npmrc'));
    const where = {
      home: directory,
      environment: { XDG_CONFIG_HOME: path('x') },
      platform: 'linux' as const,
    };
    expect(machineFiles(where).map(({ shown, isNamed }) => [shown, isNamed])).toEqual([
      ['~/x/gh/hosts.yml', false],
      ['~/.netrc', false],
      ['~/.docker/config.json', false],
    ]);
  });

  it('reads a file once, however often it is named', () => {
    writeFileSync(path('.env'), '');
    expect(chooseFiles(['.env', './.env', path('.env'), '.'], directory).files).toHaveLength(1);
  });
});

describe('replacing a file', () => {
  it('does nothing when another program has written to it since', () => {
    writeFileSync(path('.env'), 'A=1');
    const before = readSourceFile(path('.env'));
    writeFileSync(path('.env'), 'A=2');
    expect(() => replaceSourceFile(before, Buffer.from('A=3'), 'x')).toThrow(/changed by another program/);
    expect(readFileSync(path('.env'), 'utf8')).toBe('A=2');
    expect(readdirSync(directory)).toEqual(['.env']);
  });

  it('does nothing when a link has taken its place', () => {
    writeFileSync(path('.env'), 'A=1');
    writeFileSync(path('elsewhere'), 'A=1');
    const before = readSourceFile(path('.env'));
    rmSync(path('.env'));
    symlinkSync(path('elsewhere'), path('.env'));
    expect(() => replaceSourceFile(before, Buffer.from('A=3'), 'x')).toThrow(/is a symbolic link/);
    expect(readFileSync(path('elsewhere'), 'utf8')).toBe('A=1');
  });

  it('does not follow a link that waits under the temporary name', () => {
    writeFileSync(path('.env'), 'A=1');
    symlinkSync(path('trap'), path('.authsome-x.tmp'));
    expect(() => replaceSourceFile(readSourceFile(path('.env')), Buffer.from('A=3'), 'x')).toThrow();
    expect(readdirSync(directory).sort()).toEqual(['.authsome-x.tmp', '.env']);
  });
});

describe('a file that is not to be replaced', () => {
  it('is one of another user, unless root asks', () => {
    writeFileSync(path('.env'), 'A=1');
    const file = readSourceFile(path('.env'));
    const { uid } = file.stats;
    expect(() => requireReplaceable(file, uid + 1)).toThrow(`${path('.env')} belongs to another user`);
    expect(() => requireReplaceable(file, uid)).not.toThrow();
    expect(() => requireReplaceable(file, 0)).not.toThrow();
    expect(() => requireReplaceable(file, undefined)).not.toThrow();
  });

  it('is one that is read-only', () => {
    writeFileSync(path('.env'), 'A=1');
    chmodSync(path('.env'), 0o444);
    expect(() => replaceSourceFile(readSourceFile(path('.env')), Buffer.from('A=3'), 'x')).toThrow(
      /is read-only/,
    );
    expect([readFileSync(path('.env'), 'utf8'), readdirSync(directory)]).toEqual(['A=1', ['.env']]);
  });
});

describe('rewriting and undoing', () => {
  const value = 'sk-abcdefghijklmnopqrstuvwxyz012345';
  const openai = {
    provider: 'openai',
    displayName: 'OpenAI',
    variables: ['KEY'],
    pattern: undefined,
    hosts: [],
    takesKey: true,
  };
  const key = { did: 'did:key:zMine', secret: randomBytes(48) };
  const backups = () => openBackups(path('home'), randomBytes);

  function rewrite(name: string) {
    const file = readSourceFile(path(name));
    const reader = readerOf(name);
    const { matches } = matchesInFile({ file: name, reader }, reader.read(file.text) ?? [], [openai]);
    const findings = matches.map((match) => ({
      ...match,
      inVault: 'same' as const,
      connection: 'default',
    }));
    return rewriteFiles({
      findings,
      files: new Map([[name, file]]),
      phantomFor: () => 'phantom-1',
      backups: backups(),
      key,
      now: () => 0,
      randomBytes,
    });
  }
  const undo = (more: object = {}) =>
    undoRewrite({ paths: [], directory, force: false, backups: backups(), key, randomBytes, ...more });

  beforeEach(() => mkdirSync(path('home'), { mode: 0o700 }));

  it('restores the largest file that it takes', () => {
    const original = `KEY=${value}\n${'# filler\n'.repeat(116_000)}`;
    writeFileSync(path('.env'), original);
    expect(rewrite('.env').rewritten).toEqual([{ file: '.env', values: 1 }]);
    expect(readFileSync(path('.env'), 'utf8')).not.toContain(value);
    undo();
    expect(readFileSync(path('.env'), 'utf8')).toBe(original);
  });

  it('restores what a crash left in between, and forgets the backup', () => {
    writeFileSync(path('.env'), `KEY=${value}`);
    rewrite('.env');
    // As if it had ended right after the backup was written.
    writeFileSync(path('.env'), `KEY=${value}`);
    undo();
    expect(readFileSync(path('.env'), 'utf8')).toBe(`KEY=${value}`);
    expect(backups().list()).toEqual([]);
  });

  it('restores a file that no longer exists only when forced to', () => {
    writeFileSync(path('.env'), `KEY=${value}`);
    chmodSync(path('.env'), 0o640);
    rewrite('.env');
    rmSync(path('.env'));
    expect(() => undo()).toThrow(/no longer exists/);
    undo({ force: true });
    expect(readFileSync(path('.env'), 'utf8')).toBe(`KEY=${value}`);
    expect(statSync(path('.env')).mode & 0o777).toBe(0o640);
  });

  it('undoes one rewrite at a time', () => {
    writeFileSync(path('.env'), `KEY=${value}`);
    rewrite('.env');
    writeFileSync(path('.env'), `KEY=${value}\nKEY=${value}`);
    rewrite('.env');
    expect(undo()).toMatchObject({ restored: [path('.env')], rewrite: { number: 2 }, left: 1 });
    expect(readFileSync(path('.env'), 'utf8')).toBe(`KEY=${value}\nKEY=${value}`);
    expect(backups().list()).toHaveLength(1);
    writeFileSync(path('.env'), 'KEY=phantom-1');
    expect(undo()).toMatchObject({ rewrite: { number: 1 }, left: 0 });
    expect(() => undo()).toThrow('no rewrite is left to undo');
  });

  it('says whose backup it is, and when it was modified', () => {
    writeFileSync(path('.env'), `KEY=${value}`);
    rewrite('.env');
    expect(() => undo({ key: { ...key, did: 'did:key:zOther' } })).toThrow(/belongs to another identity/);
    expect(() => undo({ key: { ...key, secret: randomBytes(48) } })).toThrow(/was modified/);
    expect(readFileSync(path('.env'), 'utf8')).toBe('KEY=phantom-1');
  });

  it('restores only what is asked for', () => {
    mkdirSync(path('a'));
    mkdirSync(path('b'));
    for (const name of ['a/.env', 'b/.env']) {
      writeFileSync(path(name), `KEY=${value}`);
      rewrite(name);
    }
    expect(() => undo({ paths: ['home'] })).toThrow(/no rewrite is left to undo in home/);
    expect(undo({ paths: ['a'] })).toMatchObject({
      restored: [path('a/.env')],
      rewrite: { number: 1 },
      left: 1,
    });
    expect(readFileSync(path('b/.env'), 'utf8')).toBe('KEY=phantom-1');
    expect(undo({ paths: ['.'] })).toMatchObject({ restored: [path('b/.env')], left: 0 });
  });

  it('opens only a complete backup, and only with the key that sealed it', () => {
    writeFileSync(path('.env'), `KEY=${value}`);
    rewrite('.env');
    const file = join(path('home/backups'), backups().list()[0]?.name ?? '');
    const text = readFileSync(file, 'utf8');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    chmodSync(file, 0o666);
    expect(() => undo()).toThrow(/can be reached by other users/);
    chmodSync(file, 0o600);
    writeFileSync(file, text.slice(0, 20));
    expect(() => undo()).toThrow(/is not a backup of a scan/);
    expect(readFileSync(path('.env'), 'utf8')).toBe('KEY=phantom-1');
  });

  it('puts no backup where others can read it', () => {
    mkdirSync(path('home/backups'), { mode: 0o755 });
    chmodSync(path('home/backups'), 0o755);
    writeFileSync(path('.env'), `KEY=${value}`);
    expect(rewrite('.env').failures).toMatchObject([
      { error: { code: 'HomeNotUsable', hint: `Run: chmod 700 ${path('home/backups')}` } },
    ]);
    expect(readFileSync(path('.env'), 'utf8')).toBe(`KEY=${value}`);
  });
});
