import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Ground, grounds, type Room, rooms, table, typesOnly } from './architecture/rooms.ts';
import {
  circleIn,
  imports,
  isForTests,
  shown,
  source,
  texts,
  withoutComments,
} from './architecture/source.ts';

describe('rooms', () => {
  it('are exactly the folders of src/', () => {
    const folders = readdirSync(source, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(folders.map((folder) => folder.name).sort()).toEqual([...rooms]);
  });

  it('import only what the table allows', () => {
    const faults = imports.flatMap(({ file, target }) => {
      const from = roomOf(file);
      const to = roomOf(target) ?? groundOf(target);
      if (from === undefined || from === to) return [];
      if (to !== undefined && table[from].mayImport.includes(to)) return [];
      // A test may put any rooms together; what it tests may not.
      if (isForTests(file)) return [];
      return [`${shown(file)} imports ${shown(target)}: ${from} is ${table[from].reason}`];
    });
    expect(faults).toEqual([]);
  });

  it('use every permission that they have', () => {
    const used = new Set(
      imports
        .filter(({ file }) => !isForTests(file))
        .map(({ file, target }) => `${roomOf(file)} → ${roomOf(target) ?? groundOf(target)}`),
    );
    const given = [
      ...Object.entries(table).flatMap(([from, { mayImport }]) => mayImport.map((to) => `${from} → ${to}`)),
      ...typesOnly.map(([from, to]) => `${from} → ${to}`),
    ];
    expect(given.filter((arrow) => !used.has(arrow))).toEqual([]);
  });

  it('form no circle', () => {
    const graph = new Map<string, readonly string[]>(
      Object.entries(table).map(([room, { mayImport }]) => [room, mayImport]),
    );
    expect(circleIn(graph)).toEqual([]);
  });

  it('take only types where only types are offered', () => {
    const faults = imports.flatMap(({ file, target, isTypeOnly }) =>
      typesOnly
        .filter(([from, to]) => roomOf(file) === from && (roomOf(target) ?? groundOf(target)) === to)
        .filter(() => !isTypeOnly && !file.endsWith('.test.ts'))
        .map(([, , reason]) => `${shown(file)} imports code from ${shown(target)}: ${reason}`),
    );
    expect(faults).toEqual([]);
  });

  it("import one another through the other's index only", () => {
    const faults = imports
      .filter(({ file, target }) => {
        const to = roomOf(target);
        return to !== undefined && to !== roomOf(file) && target !== join(source, to, 'index.ts');
      })
      // What tests stand on in one room may serve the tests of another.
      .filter(({ file, target }) => !(isForTests(file) && isForTests(target)))
      .map(({ file, target }) => `${shown(file)} reaches into ${shown(target)}`);
    expect(faults).toEqual([]);
  });

  it('say in a doc comment at the top of their index what they are for, and have no logic there', () => {
    const faults = rooms.flatMap((room) => {
      const text = texts.get(join(source, room, 'index.ts')) ?? '';
      const statements = withoutComments(text)
        .split(';')
        .map((statement) => statement.trim())
        .filter((statement) => statement !== '' && !/^export (type )?(\{|\* from)/.test(statement));
      const starred = /export \* from/.test(text);
      return [
        ...(/^\/\*\*\n \* \S/.test(text) ? [] : [`src/${room}/index.ts does not begin with a doc comment`]),
        ...statements.map(
          (statement) => `src/${room}/index.ts holds more than exports: ${statement.slice(0, 60)}`,
        ),
        ...(starred ? [`src/${room}/index.ts exports everything of a file by *`] : []),
      ];
    });
    expect(faults).toEqual([]);
  });
});

function roomOf(file: string): Room | undefined {
  const [first] = relative(source, file).split('/');
  return rooms.find((room) => room === first);
}

function groundOf(file: string): Ground | undefined {
  return grounds.find((ground) => file === join(source, `${ground}.ts`));
}
