import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Room } from './rooms.ts';
import {
  circleIn,
  type Import,
  imports,
  isForTests,
  packagesOf,
  production,
  shown,
  source,
  texts,
  withoutComments,
} from './source.ts';

/** Who may read `process.env` or `process.argv`, and why. */
const environmentReaders = new Map([
  ['src/main.ts', 'it hands both to everything else'],
  ['src/cli/run/child-proxy.cts', 'it is loaded into the child of a run, and has nobody to hand it anything'],
  [
    'src/vault/keychain.ts',
    'it holds the text of a small program for a process of its own, which takes arguments',
  ],
]);

/** What may be loaded with a room's index, because a person waits for it at every command. */
const hotPaths: readonly (readonly [room: Room, modules: readonly string[], reason: string])[] = [
  [
    'client',
    ['node:crypto', 'node:fs', 'node:http', 'node:net', 'node:path'],
    'every command loads it: whatever else is needed is imported where it is used',
  ],
  ['identity', ['node:crypto', 'node:fs', 'node:path'], 'every command signs its calls'],
];

describe('hot paths', () => {
  it.each(hotPaths)('%s loads nothing but what it needs', (room, modules, reason) => {
    const loaded = staticClosure(join(source, room, 'index.ts'));
    const faults = loaded.flatMap((file) =>
      packagesOf(file)
        .filter((name) => !modules.includes(name))
        .map((name) => `${shown(file)} loads ${name}: ${reason}`),
    );
    expect(loaded.length).toBeGreaterThan(1);
    expect(faults).toEqual([]);
  });
});

describe('files', () => {
  it.each([
    ['types included', (one: Import) => !one.isLazy],
    ['lazy imports included', (one: Import) => !one.isTypeOnly],
  ] as const)('do not import in a circle, %s', (_what, counts) => {
    const graph = new Map<string, string[]>();
    for (const one of imports) {
      const [file, target] = [shown(one.file), shown(one.target)];
      if (isForTests(one.file) || !counts(one)) continue;
      graph.set(file, [...(graph.get(file) ?? []), target]);
    }
    expect(graph.size).toBeGreaterThan(100);
    expect(circleIn(graph)).toEqual([]);
  });

  it('leave the environment and the arguments to main.ts and programs of their own', () => {
    const faults = production
      .filter((file) => !environmentReaders.has(shown(file)))
      .filter((file) =>
        /\bprocess\s*\.\s*(env|argv)\b|\bimport\.meta\.env\b/.test(withoutComments(texts.get(file) ?? '')),
      )
      .map(shown);
    expect(faults).toEqual([]);
  });

  it('named test-… are what tests share, and the product imports none of them', () => {
    const faults = imports
      .filter(({ file, target }) => isForTests(target) && !isForTests(file))
      .map(({ file, target }) => `${shown(file)} imports ${shown(target)}`);
    expect(faults).toEqual([]);
  });
});

/** A file and all that loading it loads. */
function staticClosure(entry: string): readonly string[] {
  const loaded = new Set([entry]);
  for (const file of loaded) {
    for (const { file: from, target, isTypeOnly, isLazy } of imports) {
      if (from === file && !isTypeOnly && !isLazy) loaded.add(target);
    }
  }
  return [...loaded];
}
