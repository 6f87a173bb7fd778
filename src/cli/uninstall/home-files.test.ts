import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isForeignFile } from './foreign-files.ts';
import { readHomeFiles, removeHomeFiles } from './home-files.ts';

let base: string;
let home: string;
beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'authsome-uninstall-')));
  home = join(base, 'home');
  mkdirSync(home, { mode: 0o700 });
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

function put(path: string, text = 'x'): void {
  const file = join(home, path);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(file, text, { mode: 0o600 });
}

const found = () => readHomeFiles(home, isForeignFile(home));
const shown = (paths: readonly string[]) => paths.map((path) => path.slice(home.length + 1)).sort();

/** One of everything that authsome writes. */
const ours = [
  'backups/scan-20261130T120000000Z-0123456789abcdef.json',
  'identities/ada@laptop.local.key',
  'identities/current',
  'known_daemons/authsome.example%3A443',
  'logs/audit-000000000001-000000010000.jsonl',
  'logs/audit-000000010001-000000020000.jsonl.new',
  'logs/daemon.log',
  'logs/daemon.log.1',
  'runs/run_47n27zfwmsn7btyt64kbad65/bundle.pem',
  'runs/run_47n27zfwmsn7btyt64kbad65/ca.pem',
  'sign-in/ses_Tr3ANWZNL0M9subN3tkuFg.html',
  'server/authsome.db',
  'server/authsome.db-shm',
  'server/authsome.db-wal',
  'server/daemon.json',
  'server/daemon.key',
  'server/daemon.lock',
  'server/daemon.lock-journal',
  'server/master.key',
  'server/master.key.0a1b2c3d4e5f.new',
  'server/start.lock',
];

describe('a home', () => {
  it('is removed with all that authsome writes', () => {
    for (const path of ours) put(path);
    put('config.json', '{"log_level": "debug", "rules": []}');
    put('providers/acme.json', '// mine\n{"name": "acme"}');
    expect(shown(found().files)).toEqual([...ours, 'config.json', 'providers/acme.json'].sort());
    expect(found()).toMatchObject({ others: [], bytes: expect.any(Number) });
    expect(removeHomeFiles(found())).toEqual([]);
    expect(existsSync(home)).toBe(false);
    expect(readdirSync(base)).toEqual([]);
  });

  it('keeps what somebody else has put there, with the directories that it is in', () => {
    for (const path of ours) put(path);
    const others = [
      'config.json',
      'logs/daemon.log.txt',
      'notes.txt',
      'providers/acme.json',
      'providers/readme.md',
      'runs/run_47n27zfwmsn7btyt64kbad65/child.log',
      'server/authsome.db.bak',
      'server/certs/ca.pem',
      'src/server/master.key',
    ];
    for (const path of others) put(path, '{"port": 8080, "compilerOptions": {}}');
    // A directory counts as a whole.
    const kept = others
      .map((path) =>
        path.startsWith('src/') ? 'src' : path.startsWith('server/certs') ? 'server/certs' : path,
      )
      .sort();
    expect(shown(found().others)).toEqual(kept);
    expect(shown(removeHomeFiles(found()))).toEqual(kept);
    for (const path of others) expect(existsSync(join(home, path))).toBe(true);
    for (const path of ours) expect(existsSync(join(home, path))).toBe(false);
    expect(existsSync(join(home, 'identities'))).toBe(false);
  });

  it.each([
    ['a directory of its own', 'server', 'elsewhere'],
    ['the directory of a run', 'runs/run_a', 'elsewhere'],
    ['a file', 'server/master.key', 'elsewhere/master.key'],
  ])('is not left through a symbolic link in place of %s', (_, link, target) => {
    mkdirSync(join(base, 'elsewhere'), { mode: 0o700 });
    for (const name of ['master.key', 'authsome.db', 'ca.pem']) {
      writeFileSync(join(base, 'elsewhere', name), 'mine');
    }
    mkdirSync(dirname(join(home, link)), { recursive: true, mode: 0o700 });
    symlinkSync(join(base, target), join(home, link));
    expect(shown(removeHomeFiles(found()))).toEqual([link]);
    expect(readdirSync(join(base, 'elsewhere')).sort()).toEqual(['authsome.db', 'ca.pem', 'master.key']);
    expect(readdirSync(dirname(join(home, link)))).toHaveLength(1);
  });

  it('is not touched where it is a link, or where others can enter it', () => {
    put('server/master.key');
    symlinkSync(home, join(base, 'link'));
    expect(() => readHomeFiles(join(base, 'link'), () => false)).toThrow(
      expect.objectContaining({ code: 'HomeNotUsable' }),
    );
    chmodSync(home, 0o755);
    expect(found).toThrow(expect.objectContaining({ code: 'HomeNotUsable' }));
    expect(existsSync(join(home, 'server/master.key'))).toBe(true);
  });

  it('that is not there has nothing', () => {
    rmSync(home, { recursive: true });
    expect(found()).toEqual({ files: [], directories: [], others: [], bytes: 0 });
  });
});
