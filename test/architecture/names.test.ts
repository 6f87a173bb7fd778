import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { files, production, root, shown, source, syntax, texts } from './source.ts';
import { oldWordIn, wordsOf } from './words.ts';

/** Path parts that say nothing about what is inside. */
const emptyNames = /^(utils?|helpers?|common|misc|shared|lib)(\.|$)|(^|[-.])(manager|helper|utils?)(\.|$)/i;

describe('files', () => {
  it('have names that say what is inside, in kebab case', () => {
    const faults = files
      .map((file) => relative(source, file))
      .filter((path) =>
        path.split('/').some((part) => emptyNames.test(part) || !/^[a-z0-9-]+(\.[a-z0-9-]+)*$/.test(part)),
      );
    expect(faults).toEqual([]);
  });

  it('are not named after the old metaphor', () => {
    expect(files.map(shown).filter((file) => oldWordIn(file) !== undefined)).toEqual([]);
  });
});

describe('names in the code', () => {
  it('use no word of the old metaphor', () => {
    const faults = [...syntax].flatMap(([file, tree]) =>
      [...namesIn(tree)]
        .filter((name) => oldWordIn(name) !== undefined)
        .map((name) => `${shown(file)}: ${name} says "${oldWordIn(name)}"`),
    );
    expect(faults).toEqual([]);
  });
});

describe('the glossary', () => {
  const text = readFileSync(join(root, 'GLOSSARY.md'), 'utf8');
  const words = [...text.matchAll(/^(?:\||[-*]) *\*\*([^*]+)\*\*/gm)].map(([, word = '']) => word);

  it('has only words that the code uses', () => {
    const code = ` ${production.map((file) => wordsOf(texts.get(file) ?? '').join(' ')).join(' ')} `;
    expect(words.length).toBeGreaterThan(10);
    expect(words.filter((word) => !new RegExp(` ${wordsOf(word).join(' ')}s? `).test(code))).toEqual([]);
  });

  it('has no word of the old metaphor', () => {
    expect(words.filter((word) => oldWordIn(word) !== undefined)).toEqual([]);
  });
});

function namesIn(tree: ts.SourceFile): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) || ts.isPrivateIdentifier(node)) names.add(node.text);
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return names;
}
