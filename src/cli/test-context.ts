import type { Client } from '../client/index.ts';
import { parseSettings } from '../settings.ts';
import type { CommandContext } from './context.ts';
import { noFlags } from './global-flags.ts';
import type { Questions } from './questions.ts';
import { openTerminal } from './terminal.ts';

export interface TestContextOptions {
  /** What the daemon answers; a call that is not here fails the test. */
  readonly client?: Partial<Client>;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
  readonly columns?: number;
  /** File of the bundled definitions' keys. */
  readonly bundledKeys?: string;
  readonly platform?: NodeJS.Platform;
  /** What the person at the terminal answers; without it there is nobody. */
  readonly questions?: Questions;
}

/** A context for tests, with what was written to either stream. */
export function testContext(options: TestContextOptions = {}): {
  readonly context: CommandContext;
  readonly output: { stdout: string; stderr: string };
} {
  const output = { stdout: '', stderr: '' };
  const { environment = {}, columns } = options;
  const stream = (name: 'stdout' | 'stderr') => ({
    write: (text: string) => {
      output[name] += text;
    },
    ...(columns === undefined ? {} : { isTTY: true, columns }),
  });
  const terminal = openTerminal({
    flags: { ...noFlags, json: options.json ?? false, quiet: options.quiet ?? false },
    environment: { NO_COLOR: '1', ...environment },
    stdout: stream('stdout'),
    stderr: stream('stderr'),
    stdinIsTty: false,
    now: () => 0,
  });
  const unused = (what: string) => (): never => {
    throw new TypeError(`the test did not expect ${what}`);
  };
  const context: CommandContext = {
    terminal,
    questions: options.questions,
    environment,
    platform: options.platform ?? 'linux',
    version: '1.2.3',
    packageName: 'authsome',
    docs: '/nonexistent',
    bundledNames: '/nonexistent',
    bundledKeys: options.bundledKeys ?? '/nonexistent',
    now: () => Date.parse('2026-01-01T00:00:00Z'),
    settings: () => parseSettings(environment),
    daemon: unused('a daemon'),
    fullProgram: unused('the whole program'),
    client: async () => (options.client ?? {}) as Client,
  };
  return { context, output };
}
