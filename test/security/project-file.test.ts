// A repository is a stranger's. Its `.authsome.json` could give an agent more than its owner would: another account of
// theirs, a provider that they left out, a way around their own config.json. Or it could stop or delay every run below it,
// as a pipe or a huge file. It may take away, and nothing else.
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Acme, connectAcme, connectPixel, createAcme } from '../support/fixture.ts';

let fixture: Acme;
let project = '';
let inner = '';
let file = '';

beforeAll(async () => {
  fixture = await createAcme();
  await connectAcme(fixture);
  await connectPixel(fixture);
  await connectPixel(fixture, '--connection', 'work');
});
afterAll(() => fixture.close());
beforeEach(() => {
  project = join(fixture.directory, 'project');
  inner = join(project, 'deep', 'down');
  file = join(project, '.authsome.json');
  mkdirSync(inner, { recursive: true });
});
afterEach(() => {
  rmSync(project, { recursive: true, force: true });
  rmSync(join(fixture.home, 'config.json'), { force: true });
});

const write = (content: unknown) =>
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
const configure = (content: unknown) =>
  writeFileSync(join(fixture.home, 'config.json'), JSON.stringify(content), { mode: 0o600 });
const run = (...args: readonly string[]) =>
  fixture.authsome(['run', ...args, '--', 'sh', '-c', 'echo ran'], { cwd: inner });
const has = async (...args: readonly string[]): Promise<readonly string[]> => {
  const document = await fixture.json(['run', '--dry-run', '--json', ...args, '--', 'true'], 0, {
    cwd: inner,
  });
  return document.connections
    .map(({ provider, connection, from }: Record<string, string>) => `${provider}/${connection} ${from}`)
    .sort();
};

describe('a .authsome.json', () => {
  it('takes away what it does not list, and says where each came from', async () => {
    write({ connections: { pixel: 'default' } });
    expect(await has()).toEqual([`pixel/default ${file}`]);
    const { stdout, stderr } = await run();
    expect(stdout).toBe('ran\n');
    expect(stderr).toContain('this run has: pixel/default.');
  });

  it('gives no connection that the run would not have without it', async () => {
    write({ connections: { pixel: 'work', github: true, acme: true } });
    expect(await has()).toEqual([`acme/default ${file}`]);
    const { stderr } = await run();
    expect(stderr).toContain(`${file} asks for pixel/work, github, which your own default does not have.`);
    expect(stderr).toContain('--connection pixel=work');
    expect(stderr).toContain('this run has: acme/default.');
  });

  it('may choose what config.json allows, which options then overrule', async () => {
    configure({ run: { connections: { pixel: 'work' } } });
    expect(await has()).toEqual(['acme/default default', 'pixel/work config.json']);
    write({ connections: { pixel: 'work' } });
    expect(await has()).toEqual([`pixel/work ${file}`]);
    expect(await has('-p', 'pixel/default')).toEqual(['pixel/default options']);
    expect(await has('-p', 'acme')).toEqual(['acme/default options']);
  });

  it('gets nothing by a sign-in that comes later', async () => {
    write({ connections: { acme: true } });
    const running = fixture.startAuthsome(['run', '--', 'sh', '-c', 'read x; echo done'], {
      cwd: inner,
      stdin: 'open',
    });
    await running.seen('stderr', /this run has: acme\/default\./);
    await connectPixel(fixture, '--connection', 'later');
    expect(await has()).toEqual([`acme/default ${file}`]);
    running.type('x\n');
    expect((await running.ended).code).toBe(0);
  });

  it('says of what this version does not have that it is not done, and of a slip what was meant', async () => {
    write({ egress: 'strict', sandbox: true, allow: ['example.com'], conections: { acme: true } });
    const { code, stderr, stdout } = await run();
    expect([code, stdout]).toEqual([0, 'ran\n']);
    expect(stderr).toContain('this version does not have egress, allow, sandbox');
    expect(stderr).toContain('nothing reads conections');
    expect(stderr).toContain('Did you mean connections?');
  });

  it.each([
    ['not JSON', '{"connections": {\n  "acme": tru }}', 'is not JSON (line 2, column'],
    ['cut off', '{"connections"', 'is not JSON (line 1, column 15)'],
    ['a list', '[]', 'must be an object'],
    ['a wrong type', '{"connections":{"acme":7}}', 'connections.acme in'],
    ['a wrong egress', '{"egress":"none"}', 'egress in'],
    ['10 MB', ' '.repeat(10_000_000), 'is larger than'],
  ])('stops the run with the place of the fault: %s', async (_what, content, said) => {
    write(content);
    const { code, stderr, stdout } = await run();
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(file);
    expect(stderr).toContain(said);
  });

  it('makes no run wait or read elsewhere: a pipe, a link, a directory', async () => {
    execFileSync('mkfifo', [file]);
    expect((await run()).stderr).toContain('is not a file');
    rmSync(file);
    const target = join(fixture.directory, 'elsewhere.json');
    writeFileSync(target, '{"pass":"word');
    symlinkSync(target, file);
    const linked = await run();
    expect([linked.code, linked.stderr]).toEqual([2, expect.stringContaining('is a link')]);
    expect(linked.stderr).not.toContain('word');
    rmSync(file);
    mkdirSync(file);
    expect((await run()).stderr).toContain('is not a file');
  });

  it('is not looked for above the home directory', async () => {
    const above = join(fixture.directory, '.authsome.json');
    writeFileSync(above, '{}}');
    try {
      expect((await run()).code).toBe(2);
      const home = { HOME: project };
      const outcome = await fixture.authsome(['run', '--', 'true'], { cwd: inner, env: home });
      expect(outcome.code).toBe(0);
    } finally {
      rmSync(above);
    }
  });

  it.skipIf(process.getuid?.() !== 0)('counts only where nobody else could have put it', async () => {
    write({ connections: {} });
    chownSync(file, 54_321, 54_321);
    expect(await has()).toHaveLength(2);
    chownSync(file, 0, 0);
    expect(await has()).toEqual([]);
    chownSync(join(project, 'deep'), 54_321, 54_321);
    chmodSync(join(project, 'deep'), 0o755);
    expect(await has()).toHaveLength(2);
  });
});

it('a fault in run of config.json names the key, and stops only runs', async () => {
  for (const [run, key] of [
    [{ connections: { acme: 7 } }, 'run.connections.acme in config.json'],
    [{ egress: 'shut' }, 'run.egress in config.json'],
    [7, 'run in config.json'],
  ] as const) {
    configure({ run });
    const outcome = await fixture.authsome(['run', '--', 'true']);
    expect([outcome.code, outcome.stderr]).toEqual([2, expect.stringContaining(key)]);
    expect((await fixture.authsome(['list'])).code).toBe(0);
  }
});
