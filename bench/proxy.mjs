/**
 * The proxy against its peers, all in one run: direct, our blind tunnel, a bare `net` pipe pair, Go's standard library
 * and mitmproxy. Medians of alternating rounds, as ratios; `node bench/proxy.mjs [rounds] [seconds]`. Load and upstream
 * run on one core, whatever is measured on the other. Updates the figures in docs/project/performance.md.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { cpuSeconds, median, openScratch, root, runLoad } from './processes.mjs';

const rounds = Number(process.argv[2] ?? 5);
const seconds = Number(process.argv[3] ?? 2);
const scratch = openScratch();
const { file } = scratch;

try {
  await main();
} finally {
  scratch.close();
}

async function main() {
  const go = scratch.buildGo();
  // Upstream and load: the same two programs, in either language.
  const program = go === undefined ? [process.execPath, await scratch.bundled('load')] : [go];
  const [command, ...args] = program;
  const upstream = await scratch.start(0, command, [...args, 'upstream', '-ca-out', file('upstream.pem')]);
  const ours = await startOurs(upstream.ready, 'audit.db');
  const peers = {
    direct: { via: '', auth: '', ca: file('upstream.pem'), host: 'localhost' },
    ours: {
      via: `127.0.0.1:${ours.ready.port}`,
      auth: ours.ready.auth,
      ca: file('ours.pem'),
      host: 'localhost',
      pid: ours.pid,
    },
    tunnel: {
      via: `127.0.0.1:${ours.ready.port}`,
      auth: ours.ready.auth,
      ca: file('upstream.pem'),
      host: 'blind.test',
      pid: ours.pid,
    },
    pipe: {
      via: `127.0.0.1:${ours.ready.pipe}`,
      auth: '-',
      ca: file('upstream.pem'),
      host: 'localhost',
      pid: ours.pid,
    },
    relay: {
      via: `127.0.0.1:${ours.ready.relay}`,
      auth: '',
      ca: file('ours.pem'),
      host: 'localhost',
      pid: ours.pid,
    },
  };
  if (go !== undefined) {
    const args = ['proxy', '-ca-out', file('go.pem'), '-upstream-ca', file('upstream.pem')];
    const { ready, pid } = await scratch.start(1, go, args);
    peers.go = { via: `127.0.0.1:${ready.port}`, auth: '', ca: file('go.pem'), host: 'localhost', pid };
  }
  const mitm = await startMitmproxy();
  if (mitm !== undefined) peers.mitmproxy = mitm;

  const load = (peer, mode, more = []) => {
    const port = mode === 'http2' ? upstream.ready.http2 : upstream.ready.http1;
    const { result, failure } = runLoad(program, peers[peer], port, mode, more);
    if (process.env.BENCH_TRACE !== undefined) console.error(peer, mode, failure ?? JSON.stringify(result));
    if (result !== undefined) return result;
    // A peer that cannot do it leaves a gap; ours may not.
    if (peer === 'ours') throw new Error(`${peer} ${mode}: ${failure}`);
    console.log(`${peer} ${mode}: ${failure}`);
    return {};
  };
  const names = Object.keys(peers);
  const timed = (mode, connections) => (peer) => {
    const before = cpuSeconds(peers[peer].pid);
    const result = load(peer, mode, ['-connections', String(connections), '-for', `${seconds}s`]);
    const spent = cpuSeconds(peers[peer].pid) - before;
    return { ...result, cpuMicros: (spent * 1e6) / Math.max(1, result.requests ?? 0) };
  };

  // Cold code is half as fast, and rounds are short.
  for (const name of names) {
    load(name, 'small', ['-connections', '16', '-for', '2s']);
    if (!['pipe', 'relay', 'go'].includes(name)) load(name, 'http2', ['-connections', '100', '-for', '1s']);
  }
  const results = {
    small1: rotate(names, timed('small', 1)),
    small16: rotate(names, timed('small', 16)),
    small64: rotate(names, timed('small', 64)),
    post16: rotate(
      names.filter((name) => name !== 'mitmproxy'),
      timed('post', 16),
    ),
    connections8: rotate(
      names.filter((name) => !['pipe', 'relay'].includes(name)),
      timed('connections', 8),
    ),
    events: rotate(names, (peer) => load(peer, 'events', ['-size', '200'])),
    http2: rotate(
      names.filter((name) => !['pipe', 'relay', 'go'].includes(name)),
      timed('http2', 100),
    ),
  };
  const idleKb = memoryKb(ours.pid);
  results.big = rotate(names, (peer) => {
    const gigabyte = peer === 'mitmproxy' ? 1 << 26 : 1 << 30;
    return load(peer, 'big', ['-size', String(gigabyte)]);
  });
  const grownKb = memoryKb(ours.pid) - idleKb;
  results.growth = await growth(upstream, load, peers);
  report(results, grownKb);
}

/** The same load with 10,000 further routes in the run. */
async function growth(upstream, load, peers) {
  const many = await startOurs(upstream.ready, 'audit-many.db', 10_000);
  peers.many = {
    ...peers.ours,
    via: `127.0.0.1:${many.ready.port}`,
    auth: many.ready.auth,
    ca: file('ours-audit-many.db.pem'),
    pid: many.pid,
  };
  return rotate(['ours', 'many'], (peer) =>
    load(peer, 'small', ['-connections', '16', '-for', `${seconds}s`]),
  );
}

/** Each peer once a round, so that a busy moment of the machine falls on all of them; medians by key. */
function rotate(names, measure) {
  const samples = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const name of names) samples[name].push(measure(name));
  }
  return Object.fromEntries(
    names.map((name) => [
      name,
      Object.fromEntries(
        Object.keys(samples[name][0]).map((key) => [key, median(samples[name].map((s) => s[key]))]),
      ),
    ]),
  );
}

async function startOurs({ http1, http2 }, database, extraRoutes = 0) {
  const script = await scratch.bundled('ours');
  const ca = extraRoutes === 0 ? file('ours.pem') : file(`ours-${database}.pem`);
  return scratch.start(1, process.execPath, [
    script,
    ca,
    file('upstream.pem'),
    file(database),
    String(http1),
    String(http2),
    String(extraRoutes),
  ]);
}

async function startMitmproxy() {
  if (spawnSync('mitmdump', ['--version']).status !== 0) {
    console.log('mitmproxy is missing (apt-get install mitmproxy): its column is left out.\n');
    return undefined;
  }
  const port = 20_000 + Math.floor(Math.random() * 20_000);
  const args = [
    '-q',
    '-p',
    String(port),
    '--set',
    `confdir=${file('mitm')}`,
    '--set',
    `ssl_verify_upstream_trusted_ca=${file('upstream.pem')}`,
    '--set',
    'stream_large_bodies=1m',
    '-s',
    join(root, 'bench/mitm.py'),
  ];
  const pid = scratch.startSilent(1, 'mitmdump', args);
  const ca = join(file('mitm'), 'mitmproxy-ca-cert.pem');
  for (let wait = 0; wait < 200 && !existsSync(ca); wait += 1)
    await new Promise((resolve) => setTimeout(resolve, 100));
  await new Promise((resolve) => setTimeout(resolve, 1500));
  return { via: `127.0.0.1:${port}`, auth: '', ca, host: 'localhost', pid };
}

function memoryKb(pid) {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
}

function report(results, grownKb) {
  const rows = [
    ['req/s, 1 connection', 'small1', 'perSecond', 0],
    ['req/s, 16 connections', 'small16', 'perSecond', 0],
    ['req/s, 64 connections', 'small64', 'perSecond', 0],
    ['latency p50, 1 connection, µs', 'small1', 'p50us', 0],
    ['CPU µs/request, 16 connections', 'small16', 'cpuMicros', 1],
    ['64 KiB POST/s, 16 connections', 'post16', 'perSecond', 0],
    ['new connections/s, 8 at once', 'connections8', 'perSecond', 0],
    ['event delay p50, µs', 'events', 'p50us', 0],
    ['HTTP/2 req/s, 100 streams', 'http2', 'perSecond', 0],
    ['1 GiB, MB/s', 'big', 'megabytesPerSecond', 0],
  ];
  const columns = ['direct', 'pipe', 'tunnel', 'relay', 'ours', 'go', 'mitmproxy'];
  const cell = (key, peer, field, digits) => {
    const value = results[key][peer]?.[field];
    return value === undefined || value === 0 ? '–' : value.toFixed(digits);
  };
  const table = [
    `| | ${columns.map((name) => (name === 'ours' ? '**ours**' : name)).join(' | ')} |`,
    `|---|${columns.map(() => '---:').join('|')}|`,
    ...rows.map(
      ([title, key, field, digits]) =>
        `| ${title} | ${columns.map((peer) => cell(key, peer, field, digits)).join(' | ')} |`,
    ),
  ];
  const of = (key, peer, field = 'perSecond') => results[key][peer]?.[field];
  const goals = [
    ['16 connections, × mitmproxy', of('small16', 'ours') / of('small16', 'mitmproxy'), '≥', 40],
    ['64 connections, × mitmproxy', of('small64', 'ours') / of('small64', 'mitmproxy'), '≥', 40],
    ['16 connections, × Go RoundTrip', of('small16', 'ours') / of('small16', 'go'), '≥', 1.1],
    ['64 connections, × Go RoundTrip', of('small64', 'ours') / of('small64', 'go'), '≥', 1.1],
    ['16 connections, of our blind tunnel', of('small16', 'ours') / of('small16', 'tunnel'), '≥', 0.7],
    ['64 connections, of our blind tunnel', of('small64', 'ours') / of('small64', 'tunnel'), '≥', 0.7],
    [
      'one connection, p50 over the blind tunnel, µs',
      of('small1', 'ours', 'p50us') - of('small1', 'tunnel', 'p50us'),
      '≤',
      15,
    ],
    ['CPU per request, µs', of('small16', 'ours', 'cpuMicros'), '≤', 30],
    ['blind tunnel, of a bare pipe pair', of('small16', 'tunnel') / of('small16', 'pipe'), '≥', 0.9],
    [
      '1 GiB, of direct',
      of('big', 'ours', 'megabytesPerSecond') / of('big', 'direct', 'megabytesPerSecond'),
      '≥',
      0.7,
    ],
    ['1 GiB, RSS growth, MB', grownKb / 1024, '<', 64],
    [
      'event delay p50 over direct, µs',
      of('events', 'ours', 'p50us') - of('events', 'direct', 'p50us'),
      '≤',
      30,
    ],
    ['HTTP/2, × mitmproxy', of('http2', 'ours') / of('http2', 'mitmproxy'), '≥', 12],
    ['new connections, × Go RoundTrip', of('connections8', 'ours') / of('connections8', 'go'), '≥', 1.2],
    ['10,000 further routes, of the same load', of('growth', 'many') / of('growth', 'ours'), '≥', 0.9],
  ].filter(([, value]) => Number.isFinite(value));
  const outcome = (value, sign, goal) =>
    (sign === '≥' ? value >= goal : value <= goal) ? 'reached' : 'missed';
  const lines = [
    '| what | goal | now | |',
    '|---|---:|---:|---|',
    ...goals.map(
      ([title, value, sign, goal]) =>
        `| ${title} | ${sign} ${goal} | ${value.toFixed(2)} | ${outcome(value, sign, goal)} |`,
    ),
  ];
  const failures = Object.entries(results).flatMap(([key, peers]) =>
    Object.entries(peers)
      .filter(([, { failures: count }]) => count > 0)
      .map(([peer]) => `${key} ${peer}`),
  );
  if (failures.length > 0) console.log(`failed requests: ${failures.join(', ')}\n`);
  console.log(`${lines.join('\n')}\n\n${table.join('\n')}`);
  const page = join(root, 'docs/project/performance.md');
  const machine = `Node ${process.versions.node}, ${cpus().length} cores. Medians of ${rounds} alternating rounds of ${seconds} s, after a warm-up.`;
  let text = readFileSync(page, 'utf8');
  for (const [name, part] of Object.entries({ machine: [machine], goals: lines, figures: table })) {
    text = replacePart(text, name, part);
  }
  writeFileSync(page, text);
}

/** The page with new lines between the two comments that mark a part. */
function replacePart(text, name, lines) {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`];
  const [from, to] = [text.indexOf(begin) + begin.length, text.indexOf(end)];
  if (from < begin.length || to < from) throw new Error(`docs/project/performance.md has no part "${name}"`);
  return `${text.slice(0, from)}\n\n${lines.join('\n')}\n\n${text.slice(to)}`;
}
