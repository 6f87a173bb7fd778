/** The product's source as the architecture tests read it: its files, their imports, their syntax. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';

export const root = resolve(import.meta.dirname, '../..');
export const source = join(root, 'src');

export interface Import {
  readonly file: string;
  readonly target: string;
  readonly isTypeOnly: boolean;
  /** Loaded when it is asked for, by `import()`. */
  readonly isLazy: boolean;
}

export const files = sourceFiles(source);
export const texts: ReadonlyMap<string, string> = new Map(
  files.map((file) => [file, readFileSync(file, 'utf8')]),
);
export const imports = files.flatMap(importsOf);

/** What the product is made of: neither a test nor what tests stand on. */
export const production = files.filter((file) => !isForTests(file));

/** The syntax of each product file. */
export const syntax: ReadonlyMap<string, ts.SourceFile> = new Map(
  production.map((file) => [
    file,
    ts.createSourceFile(file, texts.get(file) ?? '', ts.ScriptTarget.Latest, true),
  ]),
);

function sourceFiles(directory: string): readonly string[] {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.c?ts$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Static, re-exported and dynamic imports of relative modules. */
function importsOf(file: string): readonly Import[] {
  const text = withoutComments(texts.get(file) ?? '');
  const pattern =
    /(?:^|[\n;])\s*(?:import|export)\s+(type\s)?(?:[^'";]*?\sfrom\s+)?'(\.[^']+)'|\bimport\(\s*'(\.[^']+)'\s*\)/g;
  return [...text.matchAll(pattern)].map((match) => ({
    file,
    target: resolve(dirname(file), match[2] ?? match[3] ?? ''),
    isLazy: match[3] !== undefined,
    isTypeOnly:
      match[1] !== undefined ||
      /^\s*\{(\s*type\s+\w+\s*,?)+\s*\}/.test(match[0].slice(match[0].indexOf('{'))),
  }));
}

/** Modules from outside that a file loads, types and lazy imports left out. */
export function packagesOf(file: string): readonly string[] {
  const text = withoutComments(texts.get(file) ?? '');
  return [...text.matchAll(/(?:^|\n)\s*(?:import|export)\s+(type\s)?[^'";]*?\sfrom\s+'([^.'][^']*)'/g)]
    .filter((match) => match[1] === undefined)
    .map((match) => match[2] ?? '');
}

/** A test, or what tests stand on. */
export function isForTests(file: string): boolean {
  return /(?:^|\/)test-[^/]*$|\.test\.ts$/.test(file);
}

export function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');
}

export function shown(file: string): string {
  return relative(root, file);
}

/** One circle of a graph, first and last the same; empty when there is none. */
export function circleIn(graph: ReadonlyMap<string, Iterable<string>>): readonly string[] {
  const done = new Set<string>();
  const walk = (node: string, trail: readonly string[]): readonly string[] => {
    if (trail.includes(node)) return [...trail.slice(trail.indexOf(node)), node];
    if (done.has(node)) return [];
    for (const next of graph.get(node) ?? []) {
      const circle = walk(next, [...trail, node]);
      if (circle.length > 0) return circle;
    }
    done.add(node);
    return [];
  };
  for (const node of graph.keys()) {
    const circle = walk(node, []);
    if (circle.length > 0) return circle;
  }
  return [];
}
