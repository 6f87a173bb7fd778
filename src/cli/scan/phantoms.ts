import type { Finding } from '../../scan/index.ts';
import type { CommandContext } from '../context.ts';

/** What to write in place of each secret that the vault has. */
export async function phantomsFor(
  context: CommandContext,
  findings: readonly Finding[],
): Promise<(finding: Finding) => string> {
  const isWanted = findings.some(({ place, inVault }) => place !== undefined && inVault === 'same');
  const list = isWanted ? await (await context.client()).scanList() : undefined;
  const phantoms = new Map(list?.providers.map(({ name, phantom }) => [name, phantom]));
  return ({ provider }) => {
    const phantom = phantoms.get(provider.provider);
    if (phantom === undefined) throw new TypeError('a provider without a phantom');
    return phantom;
  };
}
