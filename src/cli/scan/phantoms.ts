import { AuthsomeError } from '../../errors.ts';
import { type Finding, isReplaced } from '../../scan/index.ts';
import type { CommandContext } from '../context.ts';

/** As many as one call takes. */
const connectionsPerCall = 200;

/** What to write in place of each secret that the vault has: the phantom of the very connection that has it. */
export async function phantomsFor(
  context: CommandContext,
  findings: readonly Finding[],
): Promise<(finding: Finding) => string> {
  const wanted = new Map<string, { readonly provider: string; readonly connection: string }>();
  for (const finding of findings) {
    if (!isReplaced(finding)) continue;
    wanted.set(keyOf(finding), {
      provider: finding.provider.provider,
      connection: finding.connection ?? 'default',
    });
  }
  const connections = [...wanted];
  const phantoms = new Map<string, string>();
  for (let from = 0; from < connections.length; from += connectionsPerCall) {
    const some = connections.slice(from, from + connectionsPerCall);
    const client = await context.client();
    const answer = await client.scanPhantoms({ connections: some.map(([, connection]) => connection) });
    for (const [index, [key]] of some.entries()) phantoms.set(key, answer.phantoms[index] ?? '');
  }
  return (finding) => {
    const phantom = phantoms.get(keyOf(finding)) ?? '';
    // A file has no way to quote it: what is written must be the same word in every format.
    if (/^[A-Za-z0-9_.:@+=-]+$/.test(phantom)) return phantom;
    throw new AuthsomeError('OperationNotAllowed', `${keyOf(finding)} has no phantom that fits into a file`, {
      hint: 'Nothing was written.',
    });
  };
}

function keyOf({ provider, connection }: Finding): string {
  return `${provider.provider}/${connection ?? 'default'}`;
}
