/**
 * Bundles `src/` into `dist/`: one chunk per lazily imported command, natives left outside. CommonJS, because a Node 20
 * process pays for the first ES module it loads with a quarter of what `run` may cost.
 * Writes the license texts of everything that was bundled to THIRD-PARTY-LICENSES.txt.
 */
import { existsSync } from 'node:fs';
import { chmod, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { keysOf } from './provider-keys.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const inRoot = (...parts) => join(root, ...parts);

/** Binaries that npm installs beside the package; everything else goes into the bundle. */
const natives = ['@napi-rs/keyring', '@photostructure/sqlite'];
/** Names are kept, so that a stack trace in a bug report is readable. */
const minify = { compress: true, mangle: false, codegen: { removeWhitespace: true } };
/** What `run` loads once its child is about to start. */
const childPath = ['cli/run/child', 'cli/run/descriptors', 'cli/run/signals'];
/**
 * All that `run` loads before, as one file: each further one makes a start slower. What is loaded only to start a daemon,
 * or to talk to a hosted one, stays out. A name that ends in a slash is a directory.
 */
const runPath = [
  ...['errors', 'json', 'loopback', 'settings', 'suggestion', 'identity/'],
  ...['cli/index', 'cli/cli', 'cli/global-flags', 'cli/connect', 'cli/run/'],
  ...['client/index', 'client/client', 'client/daemon', 'client/daemon-record', 'client/exchange'],
  ...['client/run-lease', 'client/response-reader', 'client/probe', 'client/reach'],
];
/** What few runs need of those directories. */
const runSeldom = ['cli/run/dry-run', 'cli/run/project', 'cli/run/recognized-keys'];
/** The path of a module below `src/`, with slashes and without `.ts`; `undefined` for all others. */
const sourceName = (moduleId) => /^src\/(.*)\.ts$/.exec(relative(root, moduleId).replaceAll(sep, '/'))?.[1];
const isOn = (path) => (moduleId) => {
  const name = sourceName(moduleId);
  return path.some((entry) => name === entry || (entry.endsWith('/') && name?.startsWith(entry)));
};
const missing = [...childPath, ...runPath, ...runSeldom].filter(
  (name) => !existsSync(inRoot('src', name.endsWith('/') ? name : `${name}.ts`)),
);
if (missing.length > 0) {
  const names = missing.map((name) => `src/${name}`).join(', ');
  throw new Error(`scripts/build.mjs lists what does not exist: ${names}`);
}
const staging = inRoot(`dist.${process.pid}.tmp`);

const program = await build({
  input: { main: inRoot('src/main.ts') },
  output: {
    dir: staging,
    format: 'cjs',
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
    minify,
    codeSplitting: {
      groups: [
        {
          name: 'run',
          test: (moduleId) => isOn(runPath)(moduleId) && !isOn([...childPath, ...runSeldom])(moduleId),
        },
        { name: 'child', test: isOn(childPath) },
      ],
    },
    comments: { legal: false },
  },
});
// What `run` gives to Node children that cannot use a proxy by themselves: CommonJS, since `--require` costs a child
// a tenth of what `--import` does.
const preload = await build({
  input: {
    'child-proxy': inRoot('src/cli/run/child-proxy.cts'),
    'agent-tunnel': inRoot('src/cli/run/agent-tunnel.ts'),
    'env-proxy-agent': inRoot('src/cli/run/env-proxy-agent.ts'),
  },
  external: [...natives, './agent-tunnel.cjs', './env-proxy-agent.cjs'],
  // It may be loaded while a program reads `Headers` for the first time, and Node 22 ends a process that reads this lazy
  // property from there. Undici needs it only for headers that a program gives to a dispatcher itself.
  define: { 'globalThis.Headers': 'undefined' },
  output: {
    dir: staging,
    format: 'cjs',
    entryFileNames: '[name].cjs',
    chunkFileNames: '[name]-[hash].cjs',
    minify,
  },
});

const definitions = await readdir(inRoot('src/providers/definitions')).catch(() => []);
const definitionFiles = definitions.filter((file) => file.endsWith('.json'));
const providerNames = definitionFiles.map((file) => file.slice(0, -'.json'.length));
const providerKeys = await Promise.all(
  definitionFiles.map(async (file) =>
    keysOf(JSON.parse(await readFile(inRoot(`src/providers/definitions/${file}`), 'utf8'))),
  ),
);
await writeFile(join(staging, 'provider-names.json'), JSON.stringify(providerNames.sort()));
await writeFile(join(staging, 'provider-keys.json'), JSON.stringify(providerKeys));
await writeFile(join(staging, 'package.json'), '{"type":"commonjs"}\n');
await chmod(join(staging, 'main.js'), 0o755);
await writeFile(inRoot('THIRD-PARTY-LICENSES.txt'), await licenses([...program, ...preload]));

// The swap is as short as two renames, so that a daemon or a test that starts at this moment finds a complete `dist/`.
const retired = inRoot(`dist.${process.pid}.old`);
await rename(inRoot('dist'), retired).catch(ignoreMissing);
await rename(staging, inRoot('dist'));
await rm(retired, { recursive: true, force: true });

async function build({ input, output, external = natives, define = {} }) {
  const bundle = await rolldown({
    input,
    cwd: root,
    platform: 'node',
    external,
    transform: { define },
    treeshake: true,
    onLog(level, log, handler) {
      // Type-only re-exports and optional requires of dependencies cannot be fixed here.
      if (log.code !== 'CIRCULAR_DEPENDENCY' && log.code !== 'EVAL') handler(level, log);
    },
  });
  const written = await bundle.write(output);
  await bundle.close();
  return written.output.flatMap((chunk) => (chunk.type === 'chunk' ? chunk.moduleIds : []));
}

async function licenses(moduleIds) {
  const folders = new Set(moduleIds.map(packageFolder).filter((folder) => folder !== undefined));
  const sections = [];
  for (const folder of folders) {
    const { name, version, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
    const files = (await readdir(folder)).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file)).sort();
    const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
    sections.push({
      name,
      text: [`${name} ${version} (${license ?? 'see below'})`, ...texts].join('\n\n').trim(),
    });
  }
  sections.sort((left, right) => (left.name < right.name ? -1 : 1));
  const rule = `\n\n${'-'.repeat(80)}\n\n`;
  const opening = 'authsome is distributed with the following software, each under the license given.';
  return `${[opening, ...sections.map(({ text }) => text)].join(rule)}\n`;
}

/** The folder of the npm package that a bundled module came from; `undefined` for our own modules. */
function packageFolder(moduleId) {
  const marker = `node_modules${sep}`;
  const start = moduleId.lastIndexOf(marker);
  if (start === -1 || moduleId.startsWith('\0')) return undefined;
  const [first = '', second = ''] = moduleId.slice(start + marker.length).split(sep);
  return moduleId.slice(0, start + marker.length) + (first.startsWith('@') ? join(first, second) : first);
}

function ignoreMissing(error) {
  if (error.code !== 'ENOENT') throw error;
}
