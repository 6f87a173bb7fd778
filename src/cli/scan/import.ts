import type { Client, ScanImport, ScanSkipped } from '../../client/index.ts';
import { signInLine } from '../../command-line.ts';
import { AuthsomeError, exitCodeOf } from '../../errors.ts';
import { type Finding, type PlannedImport, planImports } from '../../scan/index.ts';
import { failureOf } from '../login/session.ts';
import { placeOf } from './report.ts';

export interface ImportOutcome {
  /** As the vault stands now. */
  readonly findings: readonly Finding[];
  readonly imported: readonly ScanImport[];
  readonly skipped: readonly ScanSkipped[];
  /** Of the first import that was tried and failed, else 0. */
  readonly exitCode: number;
}

export interface ImportOptions {
  readonly force: boolean;
  /** The names that are taken already, by provider. */
  readonly connections: ReadonlyMap<string, readonly string[]>;
  /** Whether a person lets a definition of their own take a key. Others need no such word. */
  readonly isAllowed: (planned: PlannedImport) => Promise<boolean>;
}

/** Imports what can be imported, each as a sign-in with a key. One that fails does not stop the others. */
export async function importFindings(
  client: Client,
  findings: readonly Finding[],
  options: ImportOptions,
): Promise<ImportOutcome> {
  const plan = planImports(findings, options);
  const imported: ScanImport[] = [];
  const skipped = plan.skipped.map(({ finding, reason, hint }) => skippedOf(finding, null, reason, hint));
  const connected = new Map<string, string>();
  let exitCode = 0;
  for (const planned of plan.imports) {
    const [first] = planned.findings;
    if (first.provider.strangersHosts !== undefined && !(await options.isAllowed(planned))) {
      const reason = `only your own definition of ${first.provider.provider} takes it, and sends it to ${hostsOf(first)}`;
      skipped.push(...planned.findings.map((finding) => skippedOf(finding, null, reason, allowingHint)));
      continue;
    }
    try {
      await signIn(client, planned);
    } catch (error) {
      // Another scan may have been faster, with the same key.
      const existing = await alreadyIn(client, error, first);
      if (existing !== undefined) {
        connected.set(keyOf(first), existing);
        continue;
      }
      if (!(error instanceof AuthsomeError) || !isAboutOneKey(error)) throw error;
      const { code, message, hint } = error;
      if (exitCode === 0) exitCode = exitCodeOf(code);
      skipped.push(...planned.findings.map((finding) => skippedOf(finding, code, message, hint)));
      continue;
    }
    connected.set(keyOf(first), planned.connection);
    imported.push(
      ...planned.findings.map((finding) => ({ ...placeOf(finding), connection: planned.connection })),
    );
  }
  const now = findings.map((finding): Finding => {
    const connection = connected.get(keyOf(finding));
    return connection === undefined ? finding : { ...finding, inVault: 'same', connection };
  });
  return { findings: now, imported, skipped, exitCode };
}

/** The connection that has the key, where a sign-in failed because there is one of that name. */
async function alreadyIn(
  client: Client,
  error: unknown,
  { provider, value }: Finding,
): Promise<string | undefined> {
  if (!(error instanceof AuthsomeError) || error.code !== 'ConnectionExists') return undefined;
  const { answers } = await client.compareSecrets({ values: [{ provider: provider.provider, value }] });
  const [answer] = answers;
  return answer?.in_vault === 'same' ? (answer.connection ?? undefined) : undefined;
}

const allowingHint = 'Allow that with: authsome scan --import --yes';

/** Where a key would be sent. */
export function hostsOf({ provider }: Finding): string {
  return provider.strangersHosts?.join(', ') || 'the hosts of its definition';
}

async function signIn(client: Client, { findings, connection, replaces }: PlannedImport): Promise<void> {
  const [{ provider, value }] = findings;
  const session = await client.login({
    provider: provider.provider,
    connection,
    flow: 'api_key',
    api_key: value,
    force: replaces,
  });
  const failure = failureOf(session);
  if (failure !== undefined) throw failure;
  if (session.status !== 'connected') {
    await client.cancelAuthSession(session.session_id);
    throw new AuthsomeError('SignInFailed', `${provider.displayName} needs more than a key`, {
      hint: `Sign in with: ${signInLine({ provider: provider.provider, connection })}`,
    });
  }
}

/** Any other error, such as a daemon that has ended, would repeat for the next key. */
function isAboutOneKey({ code }: AuthsomeError): boolean {
  return ['InvalidKey', 'ConnectionExists', 'SignInFailed', 'OperationNotAllowed', 'Usage'].includes(code);
}

function keyOf({ provider, value }: Finding): string {
  return `${provider.provider} ${value}`;
}

function skippedOf(
  finding: Finding,
  error: string | null,
  reason: string,
  hint: string | undefined,
): ScanSkipped {
  return { ...placeOf(finding), error, reason, hint: hint ?? null };
}
