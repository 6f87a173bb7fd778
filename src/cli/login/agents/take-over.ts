import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import type { AdoptRequest, Client } from '../../../client/index.ts';
import { shellWord, signInLine } from '../../../command-line.ts';
import { AuthsomeError } from '../../../errors.ts';
import { replaceValues } from '../../../scan/index.ts';
import type { CommandContext } from '../../context.ts';
import { safe, text } from '../../output/safe-text.ts';
import { replaceSourceFile } from '../../scan/file-replacement.ts';
import { type Sealer, sealerOf } from '../../scan/sealed-copy.ts';
import { readSourceFile, type SourceFile } from '../../scan/source-file.ts';
import type { LoginOptions } from '../request.ts';
import { type Agent, type AgentSignIn, agents, placesOf, readSignIn } from './agent-files.ts';

/** What taking over needs of the machine. */
export interface Machine {
  /** The user's own directory, where agents have their files. */
  readonly home: string;
  /** The user that this process runs as; `undefined` where there are no such numbers. */
  readonly uid: number | undefined;
  readonly exists: (path: string) => boolean;
  /** Seals a file before it is replaced. */
  readonly seal: Sealer;
  readonly randomBytes: (size: number) => Uint8Array;
}

/** The agent whose sign-in `login` takes over for this provider, if there is one. */
export function agentOf(provider: string): Agent | undefined {
  return agents.find((agent) => agent.provider === provider);
}

export interface TakeOver {
  readonly agent: Agent;
  readonly options: LoginOptions;
  readonly machine: Machine;
}

export async function machineOf(context: CommandContext): Promise<Machine> {
  const { randomBytes } = await context.daemon();
  return {
    home: homedir(),
    uid: process.getuid?.(),
    exists: existsSync,
    seal: await sealerOf(context),
    randomBytes,
  };
}

/** An agent may write to its file at any moment, since it renews its tokens. */
const mostAttempts = 3;

/** The agent's file as it was read, with a sign-in in it. */
interface Found {
  readonly file: SourceFile;
  readonly signIn: AgentSignIn;
}

/**
 * Stores what an agent's own file has as a connection, and puts phantoms into the file. The file is first: what is stored is
 * what the file had when it was replaced, and never two programs have the same refresh token. `false` where the agent has no
 * file with a sign-in.
 */
export async function takeOver(
  context: CommandContext,
  client: Client,
  { agent, options, machine }: TakeOver,
): Promise<boolean> {
  const { provider } = options;
  const suffix = (): string => Buffer.from(machine.randomBytes(8)).toString('hex');
  for (let attempt = 1; ; attempt += 1) {
    const found = findSignIn(context, agent, machine);
    if (found === undefined) return false;
    const { file } = found;
    const request = requestFor(options, found);
    const { connection, phantoms } = await client
      .adopt(provider, { ...request, prepare: true })
      .catch((error) => Promise.reject(explained(error, agent, file)));
    if (attempt === 1) await requireYes(context, agent, options, file);
    const rewritten = Buffer.from(withPhantoms(found, phantoms));
    const copy = machine.seal(file, rewritten);
    try {
      replaceSourceFile(file, rewritten, suffix());
    } catch (error) {
      copy.forget();
      if (attempt < mostAttempts && isChanged(file)) continue;
      throw error;
    }
    try {
      await client.adopt(provider, { ...request, prepare: false });
    } catch (error) {
      replaceSourceFile(readSourceFile(file.path), file.bytes, suffix());
      copy.forget();
      throw error;
    }
    report(context, agent, { connection, file, request });
    return true;
  }
}

function requestFor({ connection, force }: LoginOptions, { signIn }: Found): Omit<AdoptRequest, 'prepare'> {
  return {
    ...(connection === undefined ? {} : { connection }),
    force,
    secrets: Object.fromEntries(signIn.secrets.map(({ field, assignment }) => [field, assignment.value])),
    scopes: signIn.scopes,
    expires_at: signIn.expiresAt,
  };
}

/** A command that was killed after it had replaced the file has stored nothing: only the sealed copy has the tokens. */
function explained(error: unknown, { command }: Agent, { path }: SourceFile): unknown {
  if (!(error instanceof AuthsomeError) || error.code !== 'InvalidKey') return error;
  return new AuthsomeError('InvalidKey', `${path} has phantoms: its sign-in was taken over before`, {
    hint: [
      `To sign in again, do that inside a run: authsome run -- ${command}`,
      `If there is no such connection, restore the file and try again: authsome scan --undo ${shellWord(path)}`,
    ].join('\n'),
  });
}

/** The agent's sign-in as its file has it now. Throws for a file that cannot be taken over, and says why. */
function findSignIn(context: CommandContext, agent: Agent, machine: Machine): Found | undefined {
  const { environment, platform } = context;
  const path = placesOf(agent, { home: machine.home, environment, platform }).find(machine.exists);
  if (path === undefined) return undefined;
  const file = readSourceFile(path);
  if (machine.uid !== undefined && file.stats.uid !== machine.uid) {
    throw new AuthsomeError('OperationNotAllowed', `${path} belongs to another user`, {
      hint: 'Nothing was changed.',
    });
  }
  const signIn = readSignIn(agent, file.text);
  if (signIn === undefined) {
    throw new AuthsomeError('OperationNotAllowed', `${path} is not the JSON that ${agent.name} writes`, {
      hint: 'Nothing was changed.',
    });
  }
  if (hasSeveralAccounts(signIn)) {
    throw new AuthsomeError('OperationNotAllowed', `${path} has the sign-ins of several accounts`, {
      hint: `Sign out of all but one in ${agent.name}, and run this again.`,
    });
  }
  return signIn.secrets.length === 0 ? undefined : { file, signIn };
}

/** One field with two values. */
function hasSeveralAccounts({ secrets }: AgentSignIn): boolean {
  return secrets.some(({ field, assignment }) =>
    secrets.some((other) => other.field === field && other.assignment.value !== assignment.value),
  );
}

function isChanged({ path, bytes }: SourceFile): boolean {
  return Buffer.compare(readSourceFile(path).bytes, bytes) !== 0;
}

function withPhantoms({ file, signIn }: Found, phantoms: Readonly<Record<string, string>>): string {
  const replacements = signIn.secrets.map(({ field, assignment }) => {
    const value = phantoms[field];
    if (value === undefined) throw new TypeError('a secret without a phantom');
    return { assignment, value };
  });
  return replaceValues(file.text, replacements);
}

async function requireYes(
  { questions, terminal }: CommandContext,
  { name, command }: Agent,
  options: LoginOptions,
  file: SourceFile,
): Promise<void> {
  if (options.yes) return;
  const what = `${name} keeps its sign-in in ${file.path}. authsome takes it over, and puts phantoms there: ${name} then works in "authsome run -- ${command}" only`;
  if (questions === undefined || terminal.json) {
    throw new AuthsomeError('Usage', `${what}: that needs your yes`, {
      hint: `Allow it with: ${signInLine(options)} --yes`,
    });
  }
  if (await questions.confirm(`${what}. Go on?`)) return;
  throw new AuthsomeError('Cancelled', 'nothing was taken over');
}

interface Done {
  /** `provider/connection`. */
  readonly connection: string;
  readonly file: SourceFile;
  readonly request: Omit<AdoptRequest, 'prepare'>;
}

function report(
  { terminal }: CommandContext,
  { command }: Agent,
  { connection: key, file, request }: Done,
): void {
  const [provider, connection] = key.split('/');
  const { scopes, expires_at } = request;
  if (terminal.json) {
    const connected = { v: 1, status: 'connected', provider, connection, scopes, expires_at, account: null };
    terminal.document({ ...connected, rewritten: [file.path] });
    return;
  }
  terminal.note(text`${terminal.noteStyle.green(safe('✓'))} Connected ${key}`);
  terminal.note(`  ${file.path} has phantoms now. Undo with: authsome scan --undo ${shellWord(file.path)}`);
  terminal.note(`  Start it with: authsome run -- ${command}`);
}

/** The error for an agent that has not signed in on this machine. */
export function noSignIn({ name, command, provider }: Agent): AuthsomeError {
  return new AuthsomeError('OperationNotAllowed', `${name} has no sign-in on this machine to take over`, {
    hint: `Sign in inside a run, and authsome keeps it as ${provider}: authsome run -- ${command}`,
  });
}
