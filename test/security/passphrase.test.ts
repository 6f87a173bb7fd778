import { createHmac } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/storage/test-storage.ts';
import { type Fixture, openFixture } from '../support/fixture.ts';

/**
 * The attack: somebody copies the home (a backup, a stolen disk). Without a keychain, `server/master.key` lay beside the
 * vault, so the copy was enough to read every secret, and `doctor` said "ok". With a passphrase, it must not be; nor may
 * who writes the database make a guess cheap, or the next start take all memory.
 */
const passphrase = 'correct horse battery';
const apiKey = 'akey0123456789ofthevault';

let fixture: Fixture;
/** A copy of the home, with a port of its own. */
let copy: Fixture;
let stolenKey = '';

beforeAll(async () => {
  fixture = await openFixture();
  const login = await fixture.authsome(['login', 'resend'], { stdin: `re_${apiKey}` });
  if (login.code !== 0) throw new Error(login.stderr);
  stolenKey = readFileSync(join(fixture.home, 'server/master.key'), 'utf8').trim();
  writeFileSync(join(fixture.directory, 'passphrase'), `${passphrase}\n`, { mode: 0o600 });
  const set = ['vault', 'passphrase', 'set', '--passphrase-file', join(fixture.directory, 'passphrase')];
  expect(await fixture.json(set)).toMatchObject({ v: 1, key_sources: ['passphrase'] });
  await fixture.authsome(['daemon', 'stop']);
  copy = await openFixture();
  mkdirSync(copy.home, { mode: 0o700 });
  cpSync(fixture.home, copy.home, { recursive: true });
});
afterAll(async () => {
  await fixture.close();
  await copy.close();
});

async function database<Result>(
  work: (database: Awaited<ReturnType<typeof openDatabase>>) => Result,
): Promise<Result> {
  const opened = await openDatabase(join(copy.home, 'server/authsome.db'));
  try {
    return work(opened);
  } finally {
    opened.close();
  }
}

describe('a stolen home whose vault has a passphrase', () => {
  it('contains the master key nowhere, in no form, and neither the passphrase', async () => {
    const bytes = Buffer.from(stolenKey, 'base64');
    const [row] = await database((opened) =>
      opened.all<{ id: string; key_check: Uint8Array }>('SELECT id, key_check FROM vaults'),
    );
    // It is the key that the vault was made with.
    const check = createHmac('sha256', bytes).update(`authsome master key check 1 ${row?.id}`).digest();
    expect(Buffer.from(row?.key_check ?? []).equals(check)).toBe(true);
    const files = readdirSync(copy.home, { recursive: true, withFileTypes: true }).filter((file) =>
      file.isFile(),
    );
    expect(files.length).toBeGreaterThan(3);
    for (const file of files) {
      const content = readFileSync(join(file.parentPath, file.name));
      for (const form of [bytes, stolenKey, bytes.toString('hex'), passphrase, apiKey]) {
        expect(content.includes(form), `${file.name}`).toBe(false);
      }
    }
  });

  it.each([
    ['no passphrase', {}, 'PassphraseNeeded'],
    ['a wrong one', { text: 'wrong horse battery' }, 'WrongPassphrase'],
    ['an empty one', { text: '' }, 'WrongPassphrase'],
    ['another master key', { key: Buffer.alloc(32, 1).toString('base64') }, 'WrongMasterKey'],
  ] as const)('does not open with %s', async (_, given, error) => {
    const file = join(copy.directory, 'guess');
    if ('text' in given) writeFileSync(file, given.text, { mode: 0o600 });
    const env = {
      ...('text' in given ? { AUTHSOME_PASSPHRASE_FILE: file } : {}),
      ...('key' in given ? { AUTHSOME_MASTER_KEY: given.key } : {}),
    };
    const failure = await copy.json(['get', 'resend', '--show-secret'], 9, { env });
    expect(failure).toMatchObject({ error });
    expect(JSON.stringify(failure)).not.toContain('horse');
    expect(existsSync(join(copy.home, 'server/master.key'))).toBe(false);
  });

  it('does not take a passphrase from a file that others can read', async () => {
    const file = join(copy.directory, 'open');
    writeFileSync(file, passphrase);
    chmodSync(file, 0o644);
    const env = { AUTHSOME_PASSPHRASE_FILE: file };
    expect(await copy.json(['list'], 9, { env })).toMatchObject({ error: 'HomeNotUsable' });
    rmSync(file);
    expect(await copy.json(['list'], 9, { env })).toMatchObject({ error: 'WrongPassphrase' });
  });

  it.each([
    ['tiny', (text: string) => text.replace('"n":131072', '"n":2')],
    ['a little smaller', (text: string) => text.replace('"n":131072', '"n":65536')],
    ['huge', (text: string) => text.replace('"n":131072', '"n":1073741824')],
    ['no power of two', (text: string) => text.replace('"n":131072', '"n":131073')],
    ['of wide blocks', (text: string) => text.replace('"r":8', '"r":8192')],
    ['of many lanes', (text: string) => text.replace('"p":1', '"p":1048576')],
    ['not there', () => '{}'],
    ['not JSON', () => 'scrypt'],
  ])('is refused before anything is derived where the parameters are %s', async (_, changed) => {
    const file = join(copy.directory, 'right');
    writeFileSync(file, passphrase, { mode: 0o600 });
    const before = await database((opened) =>
      opened.one<{ parameters: string }>('SELECT parameters FROM key_wrappings'),
    );
    const text = before?.parameters ?? '';
    const altered = changed(text);
    expect(altered).not.toBe(text);
    const write = (parameters: string) =>
      database((opened) => opened.run('UPDATE key_wrappings SET parameters = ?', parameters));
    await write(altered);
    const failure = await copy.json(['list'], 9, { env: { AUTHSOME_PASSPHRASE_FILE: file } });
    expect(failure).toMatchObject({
      error: 'DatabaseCorrupt',
      message: 'the stored parameters of the passphrase are not ones that authsome writes',
    });
    await write(text);
  });

  it('does not open under dearer parameters that are within the bounds either: they are part of what is sealed', async () => {
    const file = join(copy.directory, 'right');
    writeFileSync(file, passphrase, { mode: 0o600 });
    await database((opened) =>
      opened.run(`UPDATE key_wrappings SET parameters = replace(parameters, '"n":131072', '"n":262144')`),
    );
    const failure = await copy.json(['list'], 9, { env: { AUTHSOME_PASSPHRASE_FILE: file } });
    expect(failure).toMatchObject({ error: 'WrongPassphrase' });
    await database((opened) =>
      opened.run(`UPDATE key_wrappings SET parameters = replace(parameters, '"n":262144', '"n":131072')`),
    );
  });

  it('opens with the passphrase, and a run is given neither it nor its file', async () => {
    const file = join(copy.directory, 'right');
    writeFileSync(file, passphrase, { mode: 0o600 });
    const env = { AUTHSOME_PASSPHRASE_FILE: file };
    expect(await copy.json(['get', 'resend', '--show-secret'], 0, { env })).toMatchObject({
      api_key: `re_${apiKey}`,
    });
    const child = await copy.authsome(['run', '--', 'env'], { env });
    expect(child.code).toBe(0);
    expect(child.stdout).toContain('AUTHSOME_RUN=');
    expect(child.stdout).not.toContain('AUTHSOME_PASSPHRASE_FILE');
    expect(child.stdout).not.toContain(passphrase);
  });
});
