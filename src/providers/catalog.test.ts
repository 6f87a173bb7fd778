import { execFileSync } from 'node:child_process';
import { lstat, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AuthsomeError } from '../errors.ts';
import { loadBundled } from './bundled.ts';
import { createCatalog } from './catalog.ts';
import { openDefinitionFolder } from './definition-folder.ts';

const acme = { name: 'acme', auth_type: 'api_key', api_url: 'api.acme.test', future_field: { kept: true } };

describe('catalog', () => {
  let home: string;
  let directory: string;
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'catalog-'));
    directory = join(home, 'providers');
  });
  afterEach(() => rm(home, { recursive: true, force: true }));

  const open = async () =>
    createCatalog({ bundled: await loadBundled(), custom: openDefinitionFolder(directory) });

  it('knows the bundled providers by name, sorted', async () => {
    const catalog = await open();
    const names = catalog.list().map((provider) => provider.name);
    expect(names).toEqual([...names].sort());
    expect(names).toEqual(expect.arrayContaining(['github', 'gitlab', 'google', 'openai', 'stripe']));
    expect(catalog.find('github')?.source).toBe('bundled');
    expect(catalog.find('no-such-service')).toBeUndefined();
  });

  it('stores a definition readable by its owner alone and finds it again after a restart', async () => {
    const catalog = await open();
    await catalog.add(acme, { replace: false });
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    expect((await stat(join(directory, 'acme.json'))).mode & 0o777).toBe(0o600);
    expect((await open()).find('acme')).toMatchObject({
      source: 'custom',
      document: { future_field: { kept: true } },
    });
  });

  it('reviews a definition beside the one that it would replace, and stores nothing', async () => {
    const catalog = await open();
    const other = { ...acme, api_url: ['api.acme.test', 'more.acme.test'] };
    expect(catalog.review(acme, { replace: false })).toMatchObject({
      asks: { usual: { hosts: ['api.acme.test'] } },
      before: undefined,
    });
    expect(catalog.find('acme')).toBeUndefined();
    await catalog.add(acme, { replace: false });
    expect(() => catalog.review(other, { replace: false })).toThrow(AuthsomeError);
    expect(catalog.review(other, { replace: true })).toMatchObject({
      asks: { usual: { hosts: ['api.acme.test', 'more.acme.test'] } },
      before: { usual: { hosts: ['api.acme.test'] } },
    });
    expect(
      catalog.review({ ...acme, name: 'github' }, { replace: true }).before?.withBaseUrl?.hosts,
    ).toContain('{base_url}');
    await writeFile(join(directory, 'acme.json'), '{"name":"acme"}');
    await catalog.reload();
    expect(catalog.review(other, { replace: true }).before).toBeUndefined();
    expect(await readFile(join(directory, 'acme.json'), 'utf8')).toBe('{"name":"acme"}');
  });

  it('says itself where a definition comes from, and never takes its word for that', async () => {
    const catalog = await open();
    const stored = async () => JSON.parse(await readFile(join(directory, 'acme.json'), 'utf8')) as unknown;
    const claims = {
      allow_loopback: true,
      registered_from: 'https://trusted.test/',
      discovered_from: 'https://10.0.0.1/',
    };
    const from = 'https://acme.test/authsome.json';
    await catalog.add({ ...acme, ...claims }, { replace: false, from });
    expect(await stored()).toEqual({ ...acme, registered_from: from });
    await catalog.add({ ...acme, ...claims }, { replace: true });
    expect(await stored()).toEqual({ ...acme, discovered_from: claims.discovered_from });

    const local = { ...acme, api_url: 'localhost:8443' };
    for (const options of [{ replace: true }, { replace: true, from }]) {
      await expect(catalog.add({ ...local, ...claims }, options)).rejects.toThrow(
        '/api_url: is on this machine',
      );
    }
    await catalog.add(local, { replace: true, allowLoopback: true });
    expect(await stored()).toEqual({ ...local, allow_loopback: true });
    expect((await open()).find('acme')?.inject[0]?.hosts[0]?.host).toBe('localhost');
  });

  it('refuses a second definition of a name, bundled or not, unless asked to replace it', async () => {
    const catalog = await open();
    await catalog.add(acme, { replace: false });
    await expect(catalog.add(acme, { replace: false })).rejects.toMatchObject({
      code: 'ProviderExists',
      message: 'a custom provider named acme already exists',
      hint: 'Replace it with: authsome register <file> --force',
    });
    await expect(catalog.add({ ...acme, name: 'github' }, { replace: false })).rejects.toMatchObject({
      code: 'ProviderExists',
      message: 'a bundled provider named github already exists',
    });
    expect(catalog.find('github')?.source).toBe('bundled');
    await catalog.add({ ...acme, name: 'github' }, { replace: true });
    expect(catalog.find('github')?.source).toBe('custom');
  });

  it('removes a custom provider and resets an overridden one', async () => {
    const catalog = await open();
    await catalog.add(acme, { replace: false });
    await catalog.add({ ...acme, name: 'github' }, { replace: true });
    expect(await catalog.remove('acme')).toBe('removed');
    expect(await catalog.remove('github')).toBe('reset');
    expect(await catalog.remove('github')).toBeUndefined();
    expect(catalog.find('acme')).toBeUndefined();
    expect(catalog.find('github')?.source).toBe('bundled');
  });

  it('stores nothing of a malformed definition', async () => {
    const catalog = await open();
    await expect(catalog.add({ ...acme, api_url: '*.com' }, { replace: false })).rejects.toMatchObject({
      code: 'InvalidDefinition',
    });
    await expect(lstat(join(directory, 'acme.json'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('reports a malformed file by name and still loads the others', async () => {
    await (await open()).add(acme, { replace: false });
    await writeFile(join(directory, 'broken.json'), '{"name": ');
    await writeFile(join(directory, 'other.json'), JSON.stringify(acme));
    const catalog = await open();
    expect(catalog.find('acme')).toBeDefined();
    expect(catalog.problems.map(({ name }) => name)).toEqual(['broken', 'other']);
    expect(catalog.problems[1]?.error.message).toContain("/name: must be other, as the file's name says");
    expect(catalog.list().map((provider) => provider.name)).not.toContain('broken');
  });

  it('does not fall back on the bundled provider when the override is malformed', async () => {
    await (await open()).add({ ...acme, name: 'github' }, { replace: true });
    await writeFile(join(directory, 'github.json'), '{}');
    const catalog = await open();
    expect(() => catalog.find('github')).toThrow('providers/github.json');
  });

  it('stores nothing that it would not read again', async () => {
    const catalog = await open();
    await expect(catalog.add({ ...acme, note: 'x'.repeat(300_000) }, { replace: false })).rejects.toThrow(
      'must not be larger',
    );
    expect(catalog.find('acme')).toBeUndefined();
  });

  it.skipIf(process.platform === 'win32')('does not wait for a pipe in place of a definition', async () => {
    await mkdir(directory);
    execFileSync('mkfifo', [join(directory, 'pipe.json')]);
    const catalog = await open();
    expect(() => catalog.find('pipe')).toThrow('is not a regular file');
  });

  it('refuses a symbolic link in place of a definition', async () => {
    await (await open()).add(acme, { replace: false });
    const outside = join(home, 'outside.json');
    await writeFile(outside, JSON.stringify({ ...acme, name: 'linked' }));
    await symlink(outside, join(directory, 'linked.json'));
    const catalog = await open();
    expect(catalog.problems).toMatchObject([{ name: 'linked' }]);
    expect(() => catalog.find('linked')).toThrow('is a symbolic link');
    expect(await readFile(outside, 'utf8')).toContain('linked');
  });

  it('resolves a base URL where there is a place for one, and says what was meant', async () => {
    const catalog = await open();
    const own = catalog.resolve('gitlab', 'https://git.example.test/');
    expect(own.baseUrl).toBe('https://git.example.test');
    expect(own.oauth?.tokenUrl).toBe('https://git.example.test/oauth/token');
    expect(catalog.resolve('gitlab').oauth?.tokenUrl).toBe('https://gitlab.com/oauth/token');
    expect(() => catalog.resolve('openai', 'https://git.example.test')).toThrow('does not accept a base URL');
    expect(() => catalog.resolve('gihtub')).toThrow('no provider is named "gihtub"');
  });

  it('suggests what somebody probably meant', async () => {
    const catalog = await open();
    const hintFor = (name: string): string | undefined => {
      try {
        return catalog.resolve(name).name;
      } catch (error) {
        return error instanceof AuthsomeError ? error.hint : undefined;
      }
    };
    expect(hintFor('githbu')).toContain('Did you mean github?');
    expect(hintFor('Strype')).toContain('Did you mean stripe?');
    expect(hintFor('zzzzzzzz')).toBe('Run: authsome list --all');
  });
});
