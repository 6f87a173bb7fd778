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
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AuthsomeError } from '../errors.ts';
import { handleFrom, loadIdentity } from './load.ts';

let base: string;
let directory: string;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'authsome-identity-'));
  directory = join(base, 'identities');
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

function load(options: Partial<Parameters<typeof loadIdentity>[0]> = {}) {
  return loadIdentity({ directory, randomBytes, suggestedHandle: 'Ada@Laptop.local', ...options });
}

function failure(attempt: () => unknown): AuthsomeError {
  try {
    attempt();
  } catch (error) {
    if (error instanceof AuthsomeError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('the first identity', () => {
  it('is created once, private and complete, with no other file left behind', () => {
    const made = load();
    expect(made.handle).toBe('ada@laptop.local');
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    const file = join(directory, 'ada@laptop.local.key');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8')).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
    expect(readdirSync(directory).sort()).toEqual(['ada@laptop.local.key', 'current']);
    expect(load().did).toBe(made.did);
  });

  it('of an unusable home is no internal error, but names the home', () => {
    const file = join(base, 'file');
    writeFileSync(file, '');
    const error = failure(() => load({ directory: join(file, 'identities') }));
    expect(error.code).toBe('HomeNotUsable');
    expect(error.hint).toContain(join(file, 'identities'));
  });

  it('stays in use when the machine gets another name', () => {
    const made = load();
    expect(load({ suggestedHandle: 'ada@elsewhere' })).toMatchObject({ handle: made.handle, did: made.did });
    expect(readdirSync(directory)).toHaveLength(2);
  });

  it('is not replaced by a new one when its key is missing', () => {
    load();
    rmSync(join(directory, 'ada@laptop.local.key'));
    const error = failure(() => load());
    expect(error.code).toBe('HomeNotUsable');
    expect(error.hint).toContain(`rm ${join(directory, 'current')}`);
    expect(readdirSync(directory)).toEqual(['current']);
  });

  it('is the same one for two processes that create it at once', () => {
    // The outer call has found no key and draws its own when the inner one makes and publishes another.
    let inner: string | undefined;
    const outer = load({
      randomBytes: (size) => {
        if (size === 32 && inner === undefined) {
          inner = '';
          inner = load().did;
        }
        return randomBytes(size);
      },
    });
    expect(outer.did).toBe(inner);
    expect(load().did).toBe(inner);
    expect(readdirSync(directory)).toHaveLength(2);
  });
});

describe('a named identity', () => {
  it('has a key of its own and leaves the one in use as it is', () => {
    const first = load();
    const ci = load({ handle: 'ci' });
    expect(ci.handle).toBe('ci');
    expect(ci.did).not.toBe(first.did);
    expect(load({ handle: 'ci' }).did).toBe(ci.did);
    expect(load().did).toBe(first.did);
  });

  it.each(['../x', 'a/b', '', '.hidden', 'UPPER', 'a'.repeat(65), 'a\n'])(
    'is refused when it is %j',
    (handle) => {
      expect(failure(() => load({ handle })).code).toBe('Usage');
    },
  );
});

describe('an identity from the environment', () => {
  const seed = Buffer.alloc(32, 9);

  it('is read from base64, base64url and PEM alike, and touches no file', () => {
    const fromText = load({ key: seed.toString('base64') });
    expect(load({ key: seed.toString('base64url') }).did).toBe(fromText.did);
    const pem = fromText.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
    expect(load({ key: pem, handle: 'ci' })).toMatchObject({ handle: 'ci', did: fromText.did });
    expect(readdirSync(base)).toEqual([]);
  });

  it('is refused without quoting it when it cannot be read', () => {
    for (const key of ['c2VjcmV0', '-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----']) {
      const error = failure(() => load({ key }));
      expect(error.code).toBe('HomeNotUsable');
      expect(`${error.message} ${error.hint}`).not.toContain('c2VjcmV0');
      expect(error.cause).toBeUndefined();
    }
  });
});

describe('a key file', () => {
  it('that others can read is refused, with the command that fixes it', () => {
    const { handle } = load();
    const file = join(directory, `${handle}.key`);
    chmodSync(file, 0o640);
    const error = failure(() => load());
    expect(error).toMatchObject({ code: 'HomeNotUsable', hint: `Run: chmod 600 ${file}` });
  });

  it('in a directory that others can enter is refused likewise', () => {
    load();
    chmodSync(directory, 0o755);
    expect(failure(() => load()).hint).toBe(`Run: chmod 700 ${directory}`);
  });

  it('that is a symbolic link is not followed, and neither is its directory', () => {
    load();
    const real = join(base, 'elsewhere.key');
    writeFileSync(real, readFileSync(join(directory, 'ada@laptop.local.key')), { mode: 0o600 });
    symlinkSync(real, join(directory, 'linked.key'));
    expect(failure(() => load({ handle: 'linked' })).message).toContain('symbolic link');
    symlinkSync(directory, join(base, 'linked'));
    expect(failure(() => load({ directory: join(base, 'linked') })).message).toContain('symbolic link');
  });

  it('with other content is refused and left unchanged', () => {
    mkdirSync(directory, { mode: 0o700 });
    const file = join(directory, 'broken.key');
    writeFileSync(file, 'not a key', { mode: 0o600 });
    expect(failure(() => load({ handle: 'broken' })).code).toBe('HomeNotUsable');
    expect(readFileSync(file, 'utf8')).toBe('not a key');
  });
});

describe('a suggested handle', () => {
  it.each([
    ['Ada@Laptop.local', 'ada@laptop.local'],
    ['J Doe@büro', 'j-doe@b-ro'],
    ['@@@', 'default'],
    ['', 'default'],
    [undefined, 'default'],
    [`${'x'.repeat(63)}-y`, 'x'.repeat(63)],
  ])('%j becomes %j', (text, handle) => expect(handleFrom(text)).toBe(handle));
});
