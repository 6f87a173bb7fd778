import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeRedirectFile } from './redirect-file.ts';

const ticket = 'http://127.0.0.1:7998/auth/sessions/ses_1/ticket';
let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'authsome-redirect-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

describe('the file that leads a browser to a sign-in', () => {
  it('is readable by its owner only, and its address says nothing of where it leads', () => {
    const { url, remove } = writeRedirectFile(home, 'ses_1', ticket, Date.now());
    const path = fileURLToPath(url);
    expect(url).not.toContain('ticket');
    expect(readFileSync(path, 'utf8')).toContain(`content="0; url=${ticket}"`);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(home, 'sign-in')).mode & 0o777).toBe(0o700);
    remove();
    expect(existsSync(path)).toBe(false);
    expect(remove).not.toThrow();
  });

  it('cannot be given markup', () => {
    const { url } = writeRedirectFile(home, 'ses_1', `${ticket}?"><script>&`, Date.now());
    expect(readFileSync(fileURLToPath(url), 'utf8')).not.toContain('<script>');
  });

  it('is removed by the next sign-in when its own command was killed', () => {
    const old = fileURLToPath(writeRedirectFile(home, 'ses_old', ticket, Date.now()).url);
    const recent = fileURLToPath(writeRedirectFile(home, 'ses_recent', ticket, Date.now()).url);
    const before = new Date(Date.now() - 2 * 60 * 60_000);
    utimesSync(old, before, before);
    writeRedirectFile(home, 'ses_new', ticket, Date.now());
    expect(existsSync(old)).toBe(false);
    expect(existsSync(recent)).toBe(true);
    expect(readdirSync(join(home, 'sign-in'))).toHaveLength(2);
  });
});
