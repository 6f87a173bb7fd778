/** A vault with a passphrase, as its owner meets it: on a terminal, in a file, and in a daemon that is restarted. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Fixture, openFixture } from '../support/fixture.ts';

const passphrase = 'correct horse battery';
let fixture: Fixture;
let keyFile = '';
beforeAll(async () => {
  fixture = await openFixture();
  keyFile = join(fixture.home, 'server/master.key');
  await fixture.authsome(['whoami']);
});
afterAll(() => fixture.close());

async function stop(): Promise<void> {
  expect((await fixture.authsome(['daemon', 'stop'])).code).toBe(0);
}

async function check(name: string) {
  const { checks } = await fixture.json(['doctor']);
  return checks.find((check: { readonly name: string }) => check.name === name);
}

/** Types these answers, each when it is asked for. */
async function onTerminal(args: readonly string[], answers: readonly (readonly [RegExp, string])[]) {
  const running = fixture.startOnTerminal(args);
  for (const [question, answer] of answers) {
    await running.seen('stdout', question);
    running.type(`${answer}\r`);
  }
  const outcome = await running.ended;
  for (const [, answer] of answers) expect(outcome.stdout).not.toContain(answer);
  return outcome;
}

const asked = /Passphrase of the vault: $/;
const askedAgain = /Wrong passphrase\. Passphrase of the vault: $/;

describe('a vault whose key lies beside it', () => {
  it('is a warning of doctor, with the command that changes it', async () => {
    expect(await check('key_source')).toEqual({
      name: 'key_source',
      status: 'warn',
      message: expect.stringContaining(keyFile),
      fix: 'authsome vault passphrase set',
    });
    expect((await fixture.authsome(['doctor'])).code).toBe(0);
  });

  it('keeps its key where no passphrase was given, or two different ones', async () => {
    expect(await fixture.json(['vault', 'passphrase', 'set'], 2)).toMatchObject({
      hint: expect.stringContaining('--passphrase-file'),
    });
    const differing = await onTerminal(
      ['vault', 'passphrase', 'set'],
      [
        [/New passphrase \(at least 12 characters\): $/, passphrase],
        [/Again: $/, `${passphrase}r`],
      ],
    );
    expect(differing.code).toBe(2);
    expect(existsSync(keyFile)).toBe(true);
    expect(await fixture.json(['whoami'])).toMatchObject({ key_source: 'file' });
  });
});

describe('a vault with a passphrase', () => {
  it('has no key beside it, and says where its key comes from', async () => {
    const set = await onTerminal(
      ['vault', 'passphrase', 'set'],
      [
        [/New passphrase \(at least 12 characters\): $/, passphrase],
        [/Again: $/, passphrase],
      ],
    );
    expect(set.stdout).toContain('The vault has a passphrase now.');
    expect(existsSync(keyFile)).toBe(false);
    expect(await fixture.json(['whoami'])).toMatchObject({ key_source: 'passphrase' });
    expect(await check('key_source')).toMatchObject({ status: 'ok' });
  });

  it('is opened by any command on a terminal that starts the daemon', async () => {
    await stop();
    const list = await onTerminal(
      ['list'],
      [
        [asked, 'not the passphrase'],
        [askedAgain, passphrase],
      ],
    );
    expect(list.code).toBe(0);
    await stop();
    const run = await onTerminal(['run', '--', 'printenv', 'AUTHSOME_RUN'], [[asked, passphrase]]);
    expect(run).toMatchObject({ code: 0, stdout: expect.stringMatching(/run_/) });
    // The daemon is running now, so nobody is asked.
    expect(await fixture.authsome(['list'])).toMatchObject({ code: 0 });
  });

  it('stays closed after three wrong ones, or none', async () => {
    await stop();
    const wrong = await onTerminal(
      ['daemon', 'start'],
      [
        [asked, 'wrong one'],
        [askedAgain, 'wrong two'],
        [/(Wrong passphrase[\s\S]*){2}: $/, 'wrong three'],
      ],
    );
    expect(wrong).toMatchObject({ code: 9, stdout: expect.stringContaining('does not open this vault') });
    const left = fixture.startOnTerminal(['daemon', 'start']);
    await left.seen('stdout', asked);
    left.type('\u0003');
    expect((await left.ended).code).toBe(11);
    expect(fixture.daemonPid()).toBeUndefined();
  });

  it('says what to do where there is no terminal, and takes the passphrase from a file there', async () => {
    const failure = await fixture.json(['list'], 9);
    expect(failure).toMatchObject({
      error: 'PassphraseNeeded',
      hint: expect.stringMatching(/authsome daemon start\n.*AUTHSOME_PASSPHRASE_FILE/),
    });
    const file = join(fixture.directory, 'passphrase');
    writeFileSync(file, `${passphrase}\n`, { mode: 0o600 });
    const env = { AUTHSOME_PASSPHRASE_FILE: file };
    expect((await fixture.json(['whoami'], 0, { env })).key_source).toBe('passphrase');
    const pid = fixture.daemonPid() ?? 0;
    for (const name of ['cmdline', 'environ']) {
      expect(readFileSync(`/proc/${pid}/${name}`, 'utf8')).not.toContain(passphrase);
    }
    expect(readFileSync(join(fixture.home, 'logs/daemon.log'), 'utf8')).not.toContain(passphrase);
  });

  it('is not closed by a restart that cannot open it again', async () => {
    const pid = fixture.daemonPid();
    expect(await fixture.json(['daemon', 'restart'], 9)).toMatchObject({
      error: 'PassphraseNeeded',
      message: expect.stringContaining('the daemon was not stopped'),
    });
    expect(fixture.daemonPid()).toBe(pid);
    const restarted = await onTerminal(['daemon', 'restart'], [[asked, passphrase]]);
    expect(restarted.code).toBe(0);
    expect(fixture.daemonPid()).not.toBe(pid);
    const args = readFileSync(`/proc/${fixture.daemonPid()}/cmdline`, 'utf8');
    expect(args).not.toContain(passphrase);
  });

  it('opens without one again once it is removed', async () => {
    expect(await fixture.json(['vault', 'passphrase', 'remove'])).toMatchObject({
      v: 1,
      key_sources: ['file'],
    });
    expect(existsSync(keyFile)).toBe(true);
    await stop();
    expect(await fixture.json(['whoami'])).toMatchObject({ key_source: 'file' });
    const { events } = await fixture.json(['log', '-n', '50']);
    const names = events.map(({ event }: { readonly event: string }) => event);
    expect(names).toContain('vault.passphrase_set');
    expect(names).toContain('vault.passphrase_removed');
  });
});
