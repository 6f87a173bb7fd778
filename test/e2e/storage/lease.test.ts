import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../../../src/storage/test-storage.ts';
import { bundleProgram, type Child, type Program } from './child.ts';

let holder: Program;
let counter: Program;
let directory: string;
let path: string;
let children: Child[];

beforeAll(async () => {
  holder = await bundleProgram(`
    await vault.exclusively('refresh', Number(rest[0]), async () => {
      say('in');
      for await (const line of createInterface({ input: process.stdin })) if (line === 'out') break;
    });
    say('out');
    process.exit(0);
  `);
  counter = await bundleProgram(`
    for (let n = 0; n < Number(rest[0]); n++) {
      await vault.exclusively('count', 2000, async () => {
        const found = await vault.read('default', 'count');
        await sleep(1);
        const count = Number(found?.secrets.count ?? 0) + 1;
        const written = await vault.write({ kind: 'default', name: 'count', fields: {}, secrets: { count: String(count) } }, found?.version ?? 0);
        if (written === undefined) say('raced');
      });
    }
    say('done');
    process.exit(0);
  `);
});

afterAll(() => {
  holder.remove();
  counter.remove();
});

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'authsome-lease-'));
  path = join(directory, 'authsome.db');
  children = [];
});

afterEach(async () => {
  for (const child of children) {
    child.process.kill('SIGKILL');
    await child.ended;
  }
  rmSync(directory, { recursive: true });
});

function start(program: Program, argument: number): Child {
  const child = program.start([path, String(argument)]);
  children.push(child);
  return child;
}

describe('exclusively, among processes', () => {
  it('lets four processes count together without losing one', async () => {
    const counting = Array.from({ length: 4 }, () => start(counter, 25));
    expect(await Promise.all(counting.map((child) => child.line()))).toEqual([
      'done',
      'done',
      'done',
      'done',
    ]);
    expect(await Promise.all(counting.map((child) => child.ended))).toEqual([0, 0, 0, 0]);
    const database = await openDatabase(path);
    expect(database.one("SELECT version FROM records WHERE name = 'count'")).toEqual({ version: 100 });
    expect(database.one('SELECT 1 FROM leases')).toBeUndefined();
    database.close();
  });

  it('keeps others out until the owner is done, then lets them in', async () => {
    const first = start(holder, 60_000);
    expect(await first.line()).toBe('in');
    const second = start(holder, 60_000);
    const entered = second.line();
    expect(await Promise.race([entered, pause(400)])).toBe('still waiting');
    first.say('out');
    expect(await first.line()).toBe('out');
    expect(await entered).toBe('in');
  });

  it('passes on after the owner was killed', async () => {
    const first = start(holder, 600);
    expect(await first.line()).toBe('in');
    const second = start(holder, 600);
    const entered = second.line();
    expect(await Promise.race([entered, pause(1_200)])).toBe('still waiting');
    first.process.kill('SIGKILL');
    expect(await first.ended).toBe('SIGKILL');
    expect(await entered).toBe('in');
  });

  it('is not released by an owner that was stopped, outlived its lease and continued', async () => {
    const first = start(holder, 300);
    expect(await first.line()).toBe('in');
    first.process.kill('SIGSTOP');
    const second = start(holder, 300);
    expect(await second.line()).toBe('in');
    first.process.kill('SIGCONT');
    first.say('out');
    expect(await first.line()).toBe('out');
    const third = start(holder, 300);
    const entered = third.line();
    expect(await Promise.race([entered, pause(800)])).toBe('still waiting');
    second.say('out');
    expect(await entered).toBe('in');
  });
});

/** Real processes have real leases: only time shows that one waits. */
function pause(ms: number): Promise<string> {
  return new Promise((resolve) => setTimeout(() => resolve('still waiting'), ms));
}
