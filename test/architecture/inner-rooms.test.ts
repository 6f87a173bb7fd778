import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { innerRooms } from './inner-rooms.ts';
import { circleIn, imports, isForTests, shown, source, texts } from './source.ts';

describe.each(Object.entries(innerRooms))('the rooms within %s', (outer, table) => {
  const floor = join(source, outer);
  /** The inner room of a file, or the name of a file beside them; `undefined` elsewhere. */
  const placeOf = (file: string): string | undefined => {
    const [first = '', ...rest] = relative(floor, file).split('/');
    if (first === '..') return undefined;
    return rest.length === 0 ? first.replace(/\.ts$/, '') : first;
  };
  const arrows = imports
    .filter(({ file }) => !isForTests(file))
    .map(({ file, target }) => ({ file, target, from: placeOf(file), to: placeOf(target) }))
    .filter(({ from, to }) => from !== undefined && to !== undefined && from !== to);

  it('are exactly its folders', () => {
    const folders = readdirSync(floor, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name !== 'testing')
      .map(({ name }) => name);
    expect(folders.sort()).toEqual(Object.keys(table).sort());
  });

  it('import only what the table allows', () => {
    const faults = arrows
      .filter(({ from = '', to = '' }) => table[from]?.mayImport.includes(to) === false)
      .map(
        ({ file, target, from = '' }) => `${shown(file)} imports ${shown(target)}: ${table[from]?.reason}`,
      );
    expect(faults).toEqual([]);
  });

  it("import one another through the other's index only", () => {
    const faults = arrows
      .filter(({ to = '', target }) => to in table && target !== join(floor, to, 'index.ts'))
      .map(({ file, target }) => `${shown(file)} reaches into ${shown(target)}`);
    expect(faults).toEqual([]);
  });

  it('use every permission that they have', () => {
    const used = new Set(arrows.map(({ from, to }) => `${from} → ${to}`));
    const unused = Object.entries(table)
      .flatMap(([from, { mayImport }]) => mayImport.map((to) => `${from} → ${to}`))
      .filter((arrow) => !used.has(arrow));
    expect(unused).toEqual([]);
  });

  it('form no circle', () => {
    const graph = new Map(Object.entries(table).map(([room, { mayImport }]) => [room, mayImport]));
    expect(circleIn(graph)).toEqual([]);
  });

  it('say at the top of their index what they are for', () => {
    const silent = Object.keys(table)
      .map((room) => join(floor, room, 'index.ts'))
      .filter((index) => !/^\/\*\*\n? \*? ?\S/.test(texts.get(index) ?? ''));
    expect(silent.map(shown)).toEqual([]);
  });
});
