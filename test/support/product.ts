/** Starts the built program, or any other, and follows what it writes. The demo uses it as well. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';

export interface Outcome {
  /** Exit code, or 128 + the signal's number as a shell says it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A started command: its output so far, and its end. */
export interface Running {
  readonly child: ChildProcess;
  readonly output: { stdout: string; stderr: string };
  readonly ended: Promise<Outcome>;
  /** The first match in one of the streams, now or later; rejects when the process ends without one. */
  seen(stream: 'stdout' | 'stderr', pattern: RegExp): Promise<RegExpExecArray>;
  type(text: string): void;
}

export interface StartOptions {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Written to stdin, which is then closed. `open`: stays open for `type`. Default: no stdin at all. */
  readonly stdin?: string | Uint8Array | 'open';
}

/** Starts a program with exactly this environment. */
export function start(options: StartOptions): Running {
  const child = spawn(options.program, options.args, {
    env: options.env,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    stdio: [options.stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  const watchers = new Set<() => void>();
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream]?.setEncoding('utf8').on('data', (text: string) => {
      output[stream] += text;
      for (const watch of watchers) watch();
    });
  }
  // A child that ends without reading all of its input is not a failure of the test.
  child.stdin?.on('error', () => {});
  if (options.stdin !== undefined && options.stdin !== 'open') child.stdin?.end(options.stdin);
  const ended = new Promise<Outcome>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      resolve({ code: code ?? 128 + (signalNumbers[signal ?? ''] ?? 0), ...output });
      for (const watch of watchers) watch();
    });
  });
  ended.catch(() => {});

  return {
    child,
    output,
    ended,
    seen(stream, pattern) {
      return new Promise((resolve, reject) => {
        const watch = () => {
          const match = pattern.exec(output[stream]);
          if (match === null && child.exitCode === null && child.signalCode === null) return;
          watchers.delete(watch);
          if (match !== null) resolve(match);
          else reject(new Error(`ended without ${pattern} on ${stream}: ${JSON.stringify(output)}`));
        };
        watchers.add(watch);
        watch();
      });
    },
    type(text) {
      child.stdin?.write(text);
    },
  };
}

const signalNumbers: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };

/** A loopback port that nobody listens on now, and that nobody else is given. */
export async function freePort(): Promise<number> {
  for (;;) {
    nextPort = firstPort + ((nextPort - firstPort + 1) % portsEach);
    if (await isFree(nextPort)) return nextPort;
  }
}

/**
 * Below those that the kernel gives to sockets that name none, since it could give one away before it is used. Test files
 * that run side by side have a range each.
 */
const portsEach = 1_000;
const firstPort = 20_000 + portsEach * (Number(process.env.VITEST_POOL_ID ?? 0) % 10);
let nextPort = firstPort + Math.floor(Math.random() * portsEach);

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
