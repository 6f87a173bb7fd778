import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRoots } from './roots.ts';
import { createRunDirectories, type RunDirectories } from './run-directory.ts';

const root = new X509Certificate(rootCertificates[0] ?? '').toString();
const ca = '-----BEGIN CERTIFICATE-----\nY2E=\n-----END CERTIFICATE-----\n';
let home = '';
const roots = createRoots(() => root);
let directories: RunDirectories;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'authsome-runs-'));
  let count = 0;
  const newId = () => `run_${++count}`;
  directories = createRunDirectories({ directory: home, roots, newId });
});
afterEach(() => {
  directories.close();
  rmSync(home, { recursive: true, force: true });
});

async function present(...names: readonly string[]): Promise<void> {
  while (readdirSync(home).sort().join() !== names.join()) await new Promise((wake) => setTimeout(wake, 5));
}

describe('the directories of runs', () => {
  it('are prepared ahead, private, and given out once', async () => {
    await present('run_1');
    expect(readFileSync(join(home, 'run_1', 'ca.pem'), 'utf8')).toBe('');
    const [first, second] = [directories.take(), directories.take()];
    expect([first.id, second.id]).toEqual(['run_1', 'run_2']);
    for (const each of [first, second]) {
      const files = each.write(ca, '');
      expect(readFileSync(files.caFile, 'utf8')).toBe(ca);
      expect(readFileSync(files.caBundleFile, 'utf8')).toBe(root + ca);
      expect(statSync(join(home, each.id)).mode & 0o777).toBe(0o700);
      expect(statSync(files.caFile).mode & 0o777).toBe(0o600);
      expect(statSync(files.caBundleFile).mode & 0o777).toBe(0o600);
    }
    await present('run_1', 'run_2', 'run_3');
  });

  it('contain what else the caller trusts, but no root twice and no key', async () => {
    const corporate = join(home, 'corporate.pem');
    const other = new X509Certificate(rootCertificates[1] ?? '').toString();
    const key = '-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n';
    writeFileSync(corporate, root + key + other);
    const callerRoots = await Promise.all([corporate, '/no/such/file'].map(roots.of));
    const { caBundleFile } = directories.take().write(ca, callerRoots.join(''));
    expect(readFileSync(caBundleFile, 'utf8')).toBe(root + other + ca);
  });

  it('are not given out when somebody has removed them, or a file in them', async () => {
    await present('run_1');
    rmSync(join(home, 'run_1', 'bundle.pem'));
    const taken = directories.take();
    expect(taken.id).toBe('run_2');
    expect(readFileSync(taken.write(ca, '').caBundleFile, 'utf8')).toBe(root + ca);
    expect(readdirSync(home)).toEqual(['run_2']);
  });

  it('leave none behind that no run has taken', async () => {
    await present('run_1');
    directories.close();
    expect(readdirSync(home)).toEqual([]);
  });

  it('say what is wrong with the place where they should be', () => {
    rmSync(home, { recursive: true });
    expect(() => directories.take()).toThrow(/cannot be written: no such file or directory/);
  });
});
