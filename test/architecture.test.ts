import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '..');
const source = join(root, 'src');

const rooms = [
  'api',
  'audit',
  'cli',
  'client',
  'connections',
  'daemon',
  'identity',
  'network',
  'oauth',
  'policy',
  'principals',
  'private-files',
  'providers',
  'proxy',
  'runs',
  'scan',
  'storage',
  'vault',
] as const;
type Room = (typeof rooms)[number];

/** Single files beside the rooms that rooms may use. */
type Ground = 'errors' | 'settings' | 'command-line' | 'suggestion';

/** Who may import whom, and why nobody else: the reason is what a failure prints. */
const table: Readonly<
  Record<Room, { readonly mayImport: readonly (Room | Ground)[]; readonly reason: string }>
> = {
  api: {
    mayImport: [
      'errors',
      'audit',
      'client',
      'connections',
      'identity',
      'network',
      'principals',
      'providers',
      'runs',
    ],
    reason:
      'what callers meet: it reads requests and writes documents, and what happens is for the rooms below',
  },
  audit: {
    mayImport: ['errors', 'storage', 'private-files'],
    reason: 'a leaf: the trail must not depend on what it records; it may use the storage for its table',
  },
  cli: {
    mayImport: [
      'errors',
      'command-line',
      'settings',
      'suggestion',
      'client',
      'identity',
      'private-files',
      'scan',
    ],
    reason:
      'commands reach the daemon over HTTP only, so that no secret and no heavy module is in their process',
  },
  client: {
    mayImport: ['errors', 'command-line', 'settings', 'identity', 'private-files'],
    reason: 'every command pays for what the client imports; it signs, sends and reads, nothing else',
  },
  connections: {
    mayImport: ['errors', 'command-line', 'oauth', 'vault', 'providers'],
    reason: 'the use cases know the flows, the store and the definitions, but neither sockets nor pages',
  },
  daemon: {
    mayImport: [
      'errors',
      'command-line',
      'settings',
      'api',
      'audit',
      'client',
      'storage',
      'network',
      'policy',
      'principals',
      'private-files',
      'providers',
      'proxy',
      'runs',
      'vault',
    ],
    reason: 'the daemon wires the rooms together and speaks the wire types of the client, but never prints',
  },
  identity: {
    mayImport: ['errors', 'command-line', 'private-files'],
    reason: 'a leaf: it is on the hot path of every command',
  },
  network: { mayImport: ['errors'], reason: 'a leaf: it dials what it is told to and decides nothing else' },
  oauth: { mayImport: ['errors'], reason: 'a leaf: flows take fetch, clock and randomness as arguments' },
  policy: { mayImport: ['errors'], reason: 'a leaf: a pure judgement of values' },
  principals: {
    mayImport: ['errors', 'audit', 'connections', 'storage', 'identity', 'network', 'providers', 'vault'],
    reason: 'it says who owns what and opens what they own; runs, pages and the API are built on it',
  },
  'private-files': {
    mayImport: ['errors', 'command-line'],
    reason: 'the ground that everything with a file in the home stands on: it must not know what is in them',
  },
  providers: {
    mayImport: ['errors', 'suggestion', 'private-files'],
    reason: 'a leaf: definitions and matching are pure',
  },
  proxy: {
    mayImport: ['errors', 'command-line', 'audit', 'identity', 'policy', 'providers'],
    reason: 'credentials, routes and sockets arrive as arguments: the proxy can never ask the vault itself',
  },
  runs: {
    mayImport: [
      'errors',
      'command-line',
      'audit',
      'connections',
      'network',
      'policy',
      'principals',
      'providers',
      'proxy',
    ],
    reason:
      'a run is made of connections, rules and the proxy; how it is asked for is the business of the API',
  },
  scan: {
    mayImport: ['errors', 'command-line'],
    reason: 'a leaf: it reads text and judges values, and what to look for arrives as an argument',
  },
  storage: {
    mayImport: ['errors', 'command-line', 'private-files'],
    reason: 'the ground that stores stand on: it must not know what is in them',
  },
  vault: {
    mayImport: ['errors', 'command-line', 'storage', 'private-files'],
    reason: 'a leaf: sealing knows nothing of what it seals; it may use the storage for its table',
  },
};

/** Imports that may bring types only, since the code behind them belongs to another process or another room. */
const typesOnly: readonly (readonly [from: Room, to: Room | Ground, reason: string])[] = [
  ['api', 'client', "the API speaks the client's wire types; its code would be the daemon calling itself"],
  [
    'daemon',
    'client',
    "the daemon shares the client's wire types; its code would be the daemon calling itself",
  ],
];

/** Who may read `process.env` or `process.argv`, and why. */
const environmentReaders = new Map([
  ['src/main.ts', 'it hands both to everything else'],
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

/** Path parts that say nothing about what is inside. */
const emptyNames = /^(utils?|helpers?|common|misc|shared|lib)(\.|$)|(^|[-.])(manager|helper|utils?)(\.|$)/i;

interface Import {
  readonly file: string;
  readonly target: string;
  readonly isTypeOnly: boolean;
  /** Loaded when it is asked for, by `import()`. */
  readonly isLazy: boolean;
}

const files = sourceFiles(source);
const production = files.filter((file) => !file.endsWith('.test.ts'));
const texts = new Map(files.map((file) => [file, readFileSync(file, 'utf8')]));
const imports = files.flatMap(importsOf);

function sourceFiles(directory: string): readonly string[] {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
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

/** A test, or what tests stand on. */
function isForTests(file: string): boolean {
  return /(?:^|\/)test-[^/]*$|\.test\.ts$/.test(file);
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');
}

function roomOf(file: string): Room | undefined {
  const [first] = relative(source, file).split('/');
  return rooms.find((room) => room === first);
}

function groundOf(file: string): Ground | undefined {
  if (file === join(source, 'errors.ts')) return 'errors';
  if (file === join(source, 'settings.ts')) return 'settings';
  if (file === join(source, 'command-line.ts')) return 'command-line';
  if (file === join(source, 'suggestion.ts')) return 'suggestion';
  return undefined;
}

function shown(file: string): string {
  return relative(root, file);
}

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

  it('say in a doc comment at the top of their index what they are for, and hold no logic there', () => {
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
  it('do not import in a circle', () => {
    const code = imports.filter(({ file, isTypeOnly }) => !isTypeOnly && !file.endsWith('.test.ts'));
    const graph = groupByFile(code);
    expect(cycleIn(graph)).toEqual([]);
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

  it('named test-… are what tests stand on, and the product imports none of them', () => {
    const faults = imports
      .filter(({ file, target }) => isForTests(target) && !isForTests(file))
      .map(({ file, target }) => `${shown(file)} imports ${shown(target)}`);
    expect(faults).toEqual([]);
  });

  it('have at most 600 lines', () => {
    const faults = files
      .map((file) => ({ file, lines: (texts.get(file) ?? '').split('\n').length - 1 }))
      .filter(({ lines }) => lines > 600)
      .map(({ file, lines }) => `${shown(file)} has ${lines} lines: it wants to be two`);
    expect(faults).toEqual([]);
  });

  it('have names that say what is inside, in kebab case', () => {
    const faults = files
      .map((file) => relative(source, file))
      .filter((path) =>
        path.split('/').some((part) => emptyNames.test(part) || !/^[a-z0-9-]+(\.[a-z0-9-]+)*$/.test(part)),
      );
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

/** Modules from outside that a file loads, types and lazy imports left out. */
function packagesOf(file: string): readonly string[] {
  const text = withoutComments(texts.get(file) ?? '');
  return [...text.matchAll(/(?:^|\n)\s*(?:import|export)\s+(type\s)?[^'";]*?\sfrom\s+'([^.'][^']*)'/g)]
    .filter((match) => match[1] === undefined)
    .map((match) => match[2] ?? '');
}

function groupByFile(items: readonly Import[]): Map<string, Import[]> {
  const groups = new Map<string, Import[]>();
  for (const item of items) groups.set(item.file, [...(groups.get(item.file) ?? []), item]);
  return groups;
}

/** The files of one circle, first and last the same; empty when there is none. */
function cycleIn(graph: ReadonlyMap<string, readonly Import[]>): readonly string[] {
  const done = new Set<string>();
  const walk = (file: string, trail: readonly string[]): readonly string[] => {
    if (trail.includes(file)) return [...trail.slice(trail.indexOf(file)), file].map(shown);
    if (done.has(file)) return [];
    for (const { target } of graph.get(file) ?? []) {
      const cycle = walk(target, [...trail, file]);
      if (cycle.length > 0) return cycle;
    }
    done.add(file);
    return [];
  };
  for (const file of graph.keys()) {
    const cycle = walk(file, []);
    if (cycle.length > 0) return cycle;
  }
  return [];
}
