import { aws } from './aws.ts';
import { claudeCode } from './claude-code.ts';
import { codex } from './codex.ts';
import { copilot } from './copilot.ts';
import { docker } from './docker.ts';
import { env } from './env.ts';
import { gcloud } from './gcloud.ts';
import { geminiCli } from './gemini-cli.ts';
import { gh } from './gh.ts';
import { gitCredentials } from './git-credentials.ts';
import { mcp } from './mcp.ts';
import { netrc } from './netrc.ts';
import { npmrc } from './npmrc.ts';
import { pip } from './pip.ts';
import { pypirc } from './pypirc.ts';
import type { Reader } from './reader.ts';
import { shell } from './shell.ts';

/** Every reader. The first that fits a path reads the file. */
export const readers: readonly Reader[] = [
  gh,
  gitCredentials,
  netrc,
  npmrc,
  pip,
  pypirc,
  docker,
  aws,
  gcloud,
  claudeCode,
  codex,
  geminiCli,
  copilot,
  mcp,
  shell,
  env,
];

/** The reader of a file that was named: anything that no tool is known for counts as `NAME=value` lines. */
export function readerOf(path: string): Reader {
  return readers.find(({ fits }) => fits(withSlashes(path))) ?? env;
}

/** The reader of a file that was met in a directory; `undefined` for one that nobody is known to keep secrets in. */
export function readerMet(path: string): Reader | undefined {
  const reader = readers.find(({ fits }) => fits(withSlashes(path)));
  return reader === shell && !env.fits(path) ? undefined : reader;
}

function withSlashes(path: string): string {
  return path.replaceAll('\\', '/');
}
