/**
 * What a start costs, against bare Node in the same run: medians of alternating rounds, and the least, as differences;
 * on a machine that does other work besides, the least is what to look at. The daemon runs in a throwaway home on a
 * free port. `node bench/start.mjs [rounds]`, after `npm run build`.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const rounds = Number(process.argv[2] ?? 31);
const main = join(dirname(dirname(fileURLToPath(import.meta.url))), 'dist', 'main.js');
const childProxy = join(dirname(main), 'child-proxy.cjs');
const scratch = mkdtempSync(join(tmpdir(), 'authsome-bench-'));
const environment = {
  PATH: process.env.PATH,
  HOME: scratch,
  AUTHSOME_HOME: join(scratch, 'home'),
  AUTHSOME_PORT: String(await freePort()),
};

const file = (name, text) => {
  const path = join(scratch, name);
  writeFileSync(path, text);
  return path;
};
const modules = "require('node:net'); require('node:crypto');\n";
const empty = file('empty.mjs', '');
const builtins = file('builtins.cjs', `${modules}require('node:child_process');\n`);
const spawning = file(
  'spawning.cjs',
  `${modules}require('node:child_process').spawn('true', { stdio: 'inherit' });\n`,
);

/** What is measured; the goal is in milliseconds over bare Node. */
const cases = [
  { name: 'bare: node -e 0', args: ['-e', '0'] },
  { name: 'an empty ES module', args: [empty] },
  { name: 'authsome --version', args: [main, '--version'], goal: 10 },
  { name: 'net, crypto, child_process', args: [builtins] },
  { name: '… and one child (true)', args: [spawning] },
  { name: 'authsome run -- true', args: [main, 'run', '--', 'true'], goal: 15 },
  { name: 'authsome list --json', args: [main, 'list', '--json'] },
  { name: 'authsome login --help', args: [main, 'login', '--help'] },
  { name: 'node --require child-proxy', args: ['--require', childProxy, '-e', '0'] },
];

try {
  const started = run(['daemon', 'start']);
  if (started.status !== 0) throw new Error(`the daemon did not start: ${started.stderr}`);
  const failed = cases.find(({ args }) => node(args).status !== 0);
  if (failed !== undefined) throw new Error(`${failed.name} failed: ${node(failed.args).stderr}`);
  print(await measure());
} finally {
  run(['daemon', 'stop']);
  rmSync(scratch, { recursive: true, force: true });
}

async function measure() {
  const times = cases.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [index, { args }] of cases.entries()) times[index].push(await millisecondsOf(args));
  }
  return times.map((list) => {
    list.sort((left, right) => left - right);
    return { median: list[Math.floor(list.length / 2)], least: list[0] };
  });
}

function millisecondsOf(args) {
  return new Promise((resolve) => {
    const from = process.hrtime.bigint();
    spawn(process.execPath, args, { env: environment, stdio: 'ignore' }).once('exit', () =>
      resolve(Number(process.hrtime.bigint() - from) / 1e6),
    );
  });
}

function print(results) {
  const [bare] = results;
  console.log(`Node ${process.versions.node}, ${cpus().length} cores, ${rounds} alternating rounds\n`);
  const title = [
    'ms, median'.padStart(12),
    'over bare'.padStart(11),
    'ratio'.padStart(7),
    'ms, least'.padStart(11),
    'over bare'.padStart(11),
  ];
  console.log(`${'start'.padEnd(30)}${title.join('')}   goal`);
  for (const [index, { name, goal }] of cases.entries()) {
    const { median, least } = results[index];
    const over = median - bare.median;
    const result = goal === undefined ? '' : `≤ ${goal} ms ${over <= goal ? 'met' : 'MISSED'}`;
    const figures = [
      median.toFixed(1).padStart(12),
      signed(over).padStart(11),
      (median / bare.median).toFixed(2).padStart(7),
      least.toFixed(1).padStart(11),
      signed(least - bare.least).padStart(11),
    ];
    console.log(`${name.padEnd(30)}${figures.join('')}   ${result}`.trimEnd());
  }
  const at = (name) => results[cases.findIndex((entry) => entry.name === name)].least;
  const total = at('authsome run -- true') - bare.least;
  const loading = at('net, crypto, child_process') - bare.least;
  const child = at('… and one child (true)') - at('net, crypto, child_process');
  console.log(
    `\nrun -- true, at the least: ${total.toFixed(1)} ms over bare = ${loading.toFixed(1)} Node's own modules` +
      ` + ${child.toFixed(1)} the child + ${(total - loading - child).toFixed(1)} our code, the identity, the daemon's answer`,
  );
}

function signed(milliseconds) {
  return `${milliseconds < 0 ? '' : '+'}${milliseconds.toFixed(1)}`;
}

function run(args) {
  return node([main, ...args]);
}

function node(args) {
  return spawnSync(process.execPath, args, { env: environment, encoding: 'utf8' });
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
