/**
 * Two worktrees in alternating rounds, for every claim of a gain or of no loss: `node bench/pair.mjs A B [rounds]
 * [seconds]`. Each tree is a checkout with its `node_modules` and a build in `dist/`. Prints B as a share of A: the median
 * of the rounds' ratios and their quartiles, for requests through the proxy and for starts.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { cpuSeconds, median, openScratch, quantile, runLoad } from './processes.mjs';

const [treeA, treeB] = process.argv.slice(2, 4).map((tree) => resolve(tree));
const rounds = Number(process.argv[4] ?? 11);
const seconds = Number(process.argv[5] ?? 2);
const startsPerRound = 5;
const scratch = openScratch();

try {
  if (treeB === undefined) throw new TypeError('two trees are needed: node bench/pair.mjs A B');
  await main();
} finally {
  scratch.close();
}

async function main() {
  const go = scratch.buildGo();
  const program = go === undefined ? [process.execPath, await scratch.bundled('load')] : [go];
  const [command, ...args] = program;
  const upstreamCa = scratch.file('upstream.pem');
  const upstream = await scratch.start(0, command, [...args, 'upstream', '-ca-out', upstreamCa]);
  const sides = [];
  for (const [name, tree] of Object.entries({ A: treeA, B: treeB })) {
    sides.push(await openSide(name, tree, upstream.ready, upstreamCa));
  }
  try {
    const measures = measuresOf(program, upstream.ready);
    // Cold code is half as fast, and rounds are short.
    for (const side of sides) for (const measure of measures) measure.of(side);
    const ratios = new Map(measures.flatMap(({ titles }) => titles).map((title) => [title, []]));
    for (let round = 0; round < rounds; round += 1) {
      for (const { of } of measures) {
        // Each goes first in every second round.
        const [first, second] = (round % 2 === 0 ? sides : sides.toReversed()).map((side) => of(side));
        const [a, b] = round % 2 === 0 ? [first, second] : [second, first];
        for (const title of Object.keys(a)) ratios.get(title).push(b[title] / a[title]);
      }
    }
    print(ratios);
  } finally {
    for (const side of sides) side.close();
  }
}

/** A tree's proxy with the bench's run open, and its daemon in a home of its own. */
async function openSide(name, tree, { http1, http2 }, upstreamCa) {
  const script = await scratch.bundled('ours', tree);
  const ca = scratch.file(`${name}.pem`);
  const database = scratch.file(`${name}.db`);
  const proxyArgs = [script, ca, upstreamCa, database, String(http1), String(http2), '0'];
  const { ready, pid } = await scratch.start(1, process.execPath, proxyArgs);
  const main = join(tree, 'dist/main.js');
  if (!existsSync(main)) throw new Error(`${tree} is not built: npm run build`);
  const home = scratch.file(`home-${name}`);
  const env = { PATH: process.env.PATH, HOME: home, AUTHSOME_HOME: home, AUTHSOME_PORT: await freePort() };
  const authsome = (...args) => spawnSync(process.execPath, [main, ...args], { env, encoding: 'utf8' });
  const started = authsome('daemon', 'start');
  if (started.status !== 0) throw new Error(started.stderr);
  return {
    peer: { via: `127.0.0.1:${ready.port}`, auth: ready.auth, ca, host: 'localhost' },
    pid,
    authsome,
    close: () => authsome('daemon', 'stop'),
  };
}

function measuresOf(program, { http1, http2 }) {
  const load = (side, mode, more) => {
    const port = mode === 'http2' ? http2 : http1;
    const { result, failure } = runLoad(program, side.peer, port, mode, more);
    if (result === undefined) throw new Error(`${mode}: ${failure}`);
    return result;
  };
  const rate = (title, mode, connections) => ({
    titles: [`${title}: rate`, `${title}: CPU`],
    of(side) {
      const before = cpuSeconds(side.pid);
      const { perSecond, requests } = load(side, mode, [
        '-connections',
        String(connections),
        '-for',
        `${seconds}s`,
      ]);
      const cpu = (cpuSeconds(side.pid) - before) / Math.max(1, requests ?? perSecond * seconds);
      return { [`${title}: rate`]: perSecond, [`${title}: CPU`]: cpu };
    },
  });
  const start = (title, ...args) => ({
    titles: [title],
    of(side) {
      const times = Array.from({ length: startsPerRound }, () => {
        const from = process.hrtime.bigint();
        const { status, stderr } = side.authsome(...args);
        if (status !== 0) throw new Error(stderr);
        return Number(process.hrtime.bigint() - from);
      });
      return { [title]: median(times) };
    },
  });
  return [
    rate('small, 16 connections', 'small', 16),
    rate('64 KiB POST, 16 connections', 'post', 16),
    rate('new connections, 8 at once', 'connections', 8),
    rate('HTTP/2, 100 streams', 'http2', 100),
    start('start: run -- true', 'run', '--', 'true'),
    start('start: list --json', 'list', '--json'),
  ];
}

function print(ratios) {
  console.log(
    `B as a share of A, ${rounds} alternating rounds of ${seconds} s, Node ${process.versions.node}\n`,
  );
  console.log(`${'what'.padEnd(36)}  median  quartiles`);
  for (const [title, values] of ratios) {
    const [low, high] = [0.25, 0.75].map((share) => quantile(values, share).toFixed(3));
    console.log(`${title.padEnd(36)}  ${median(values).toFixed(3)}   ${low} to ${high}`);
  }
}

function freePort() {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => done(String(port)));
    });
  });
}
