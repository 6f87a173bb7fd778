import { dirname, join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { files, production, shown, source, syntax, texts } from './source.ts';

const limits = { linesInFile: 600, filesInFolder: 20, linesInFunction: 100, parameters: 4 };

interface Routine {
  readonly name: string;
  readonly lines: number;
  readonly parameters: number;
}

/** Every function, method and constructor that has a body, and every signature. */
function routinesOf(file: ts.SourceFile): readonly Routine[] {
  const found: Routine[] = [];
  const lineOf = (position: number) => file.getLineAndCharacterOfPosition(position).line;
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node)) {
      const hasBody = 'body' in node && node.body !== undefined;
      found.push({
        name: nameOf(node),
        lines: hasBody ? lineOf(node.end) - lineOf(node.getStart()) + 1 : 0,
        // A declared `this` is not passed.
        parameters: node.parameters.filter((parameter) => parameter.name.getText() !== 'this').length,
      });
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

function nameOf(node: ts.SignatureDeclaration): string {
  const named = node.name ?? (ts.isVariableDeclaration(node.parent) ? node.parent.name : undefined);
  if (named !== undefined) return named.getText();
  return ts.isConstructorDeclaration(node) ? (node.parent.name?.getText() ?? 'a class') : 'a function';
}

const routines = [...syntax].flatMap(([file, tree]) =>
  routinesOf(tree).map((routine) => ({ where: `${shown(file)}: ${routine.name}`, ...routine })),
);

describe('a file', () => {
  it(`has at most ${limits.linesInFile} lines`, () => {
    const faults = files
      .map((file) => ({ file, lines: (texts.get(file) ?? '').split('\n').length - 1 }))
      .filter(({ lines }) => lines > limits.linesInFile)
      .map(({ file, lines }) => `${shown(file)} has ${lines} lines: it wants to be two`);
    expect(faults).toEqual([]);
  });
});

describe('a folder', () => {
  it(`has at most ${limits.filesInFolder} files of the product`, () => {
    const counts = new Map<string, number>();
    for (const file of production) counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1);
    const faults = [...counts]
      // One file for each provider: data, which has no rooms.
      .filter(([folder]) => folder !== join(source, 'providers/definitions'))
      .filter(([, count]) => count > limits.filesInFolder)
      .map(([folder, count]) => `${shown(folder)} has ${count} files: it wants rooms of its own`);
    expect(faults).toEqual([]);
  });
});

describe('a function', () => {
  it(`has at most ${limits.linesInFunction} lines`, () => {
    const faults = routines
      .filter(({ lines }) => lines > limits.linesInFunction)
      .map(({ where, lines }) => `${where} has ${lines} lines`);
    expect(routines.length).toBeGreaterThan(1_000);
    expect(faults).toEqual([]);
  });

  it(`has at most ${limits.parameters} parameters`, () => {
    const faults = routines
      .filter(({ parameters }) => parameters > limits.parameters)
      .map(({ where, parameters }) => `${where} has ${parameters} parameters: it wants an options object`);
    expect(faults).toEqual([]);
  });
});
