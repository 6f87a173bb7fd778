import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type HomePolicy, type LiveRules, watchRules } from './rules.ts';

const request = {
  identity: 'me',
  provider: 'github',
  connection: 'default',
  method: 'GET',
  host: 'api.github.com',
  path: '/',
};
const denyAll = JSON.stringify({ rules: [{ id: 'no', effect: 'deny' }] });
const denyPosts = JSON.stringify({ rules: [{ id: 'no-posts', effect: 'deny', methods: ['POST'] }] });

let directory: string;
let file: string;
let changes: HomePolicy[];
let rules: LiveRules;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  directory = mkdtempSync(join(tmpdir(), 'authsome-rules-'));
  file = join(directory, 'config.json');
  changes = [];
});
afterEach(() => {
  rules.close();
  vi.useRealTimers();
  rmSync(directory, { recursive: true, force: true });
});

function watch(text?: string): void {
  if (text !== undefined) writeFileSync(file, text);
  rules = watchRules(file);
  rules.onChange((now) => changes.push(now));
}

/** As an editor that writes a file beside it and puts that in its place. */
function put(text: string): void {
  writeFileSync(`${file}~`, text);
  renameSync(`${file}~`, file);
}

const nextLook = () => vi.advanceTimersByTime(1_000);
const isAllowed = () => rules.policy(request).allowed;

describe('the rules of a home', () => {
  it('are those of the start, and then those of the file, announced once', () => {
    watch(denyPosts);
    expect([isAllowed(), rules.current.ruleCount, changes]).toEqual([true, 1, []]);
    put(denyAll);
    nextLook();
    nextLook();
    expect(isAllowed()).toBe(false);
    expect(changes).toMatchObject([{ ruleCount: 1, problem: undefined }]);
    put(denyPosts);
    nextLook();
    expect([isAllowed(), changes.length]).toEqual([true, 2]);
  });

  it('need no file to begin with, and are there once it is', () => {
    watch();
    nextLook();
    expect([isAllowed(), changes]).toEqual([true, []]);
    put(denyAll);
    nextLook();
    expect([isAllowed(), changes.length]).toEqual([false, 1]);
  });

  it('deny everything while they cannot be read, which is announced once', () => {
    watch(denyPosts);
    for (const broken of ['{"rules": [', '[]', '{"rules": [{"id": "x", "effect": "perhaps"}]}']) {
      put(broken);
      nextLook();
      nextLook();
      expect([broken, isAllowed(), rules.current.problem === undefined]).toEqual([broken, false, false]);
    }
    put(denyPosts);
    nextLook();
    expect([isAllowed(), rules.current.problem]).toEqual([true, undefined]);
    expect(changes.map(({ problem }) => problem?.code)).toEqual([
      'Usage',
      // The second fault has the words of the first.
      'InvalidDefinition',
      undefined,
    ]);
  });

  it('are not lifted by a file that is missing for a moment, but by one that was deleted', () => {
    watch(denyPosts);
    rmSync(file);
    nextLook();
    expect([isAllowed(), changes]).toEqual([false, []]);
    put(denyPosts);
    nextLook();
    expect(isAllowed()).toBe(true);
    rmSync(file);
    nextLook();
    expect(isAllowed()).toBe(false);
    nextLook();
    expect([isAllowed(), rules.current.ruleCount]).toEqual([true, 0]);
    expect(changes.at(-1)).toMatchObject({ ruleCount: 0, problem: undefined });
  });

  it('that could not be read are not lifted by a file that is away for a moment either', () => {
    watch(denyAll);
    put('{"rules": [');
    nextLook();
    rmSync(file);
    nextLook();
    expect([isAllowed(), changes.length]).toEqual([false, 1]);
    put(denyAll);
    nextLook();
    expect(isAllowed()).toBe(false);
    rmSync(file);
    nextLook();
    nextLook();
    expect(isAllowed()).toBe(true);
  });

  it('are not touched by a change of something else in the file', () => {
    watch(denyAll);
    put(JSON.stringify({ ...JSON.parse(denyAll), port: 7999 }));
    nextLook();
    expect([isAllowed(), changes]).toEqual([false, []]);
  });
});
