#!/usr/bin/env node
/**
 * Wiring only: reads the environment and the arguments, and hands them to the daemon (`daemon serve`) or to the
 * command line. The sole reader of `process.env` and `process.argv`; each side is loaded only when it is asked for.
 */
import packageDocument from '../package.json' with { type: 'json' };
import type { CliOptions } from './cli/index.ts';
import type { ServeOptions } from './daemon/index.ts';

// Before anything else: without a listener, SIGUSR1 opens Node's debugger on a port that every local user can reach.
process.on('SIGUSR1', () => {});

const [, entry = '', ...args] = process.argv;
// By property: destructured, all of package.json would be in the bundle, and parsed at every start.
const common = {
  args,
  entry,
  environment: process.env,
  version: packageDocument.version,
  packageName: packageDocument.name,
};

async function serve(options: Omit<ServeOptions, 'addressInUse' | 'environmentToServe'>): Promise<number> {
  const [{ serveDaemon }, { addressInUse, environmentToServe }] = await Promise.all([
    import('./daemon/index.ts'),
    import('./client/index.ts'),
  ]);
  return serveDaemon({ ...options, addressInUse, environmentToServe });
}

async function forget(): Promise<number> {
  const { forgetKeychain } = await import('./daemon/index.ts');
  return forgetKeychain(common);
}

async function command(options: CliOptions): Promise<number> {
  const { runCli } = await import('./cli/index.ts');
  return runCli(options);
}

if (args.length === 1 && (args[0] === '--version' || args[0] === '-V')) {
  process.stdout.write(`${packageDocument.version}\n`);
} else {
  const [noun, verb, ...more] = args;
  // Flags for the process that starts a daemon, and for nobody else.
  const isCheck = more.includes('--check');
  const isTyped = more.includes('--passphrase-from-stdin');
  const isPlain = more.length === Number(isCheck) + Number(isTyped);
  const isServe = noun === 'daemon' && verb === 'serve';
  const start = (): Promise<number> => {
    if (isServe && isPlain) return serve({ ...common, isCheck, isTyped });
    return isServe && more.join() === '--forget-keychain' ? forget() : command(common);
  };
  void start().then((code) => {
    process.exitCode = code;
  });
}
