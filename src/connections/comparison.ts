import { sameText } from '../oauth/index.ts';
import type { Comparison, ConnectionsOptions } from './contract.ts';
import type { ConnectionStore } from './records/index.ts';

interface Held {
  readonly connection: string;
  readonly secrets: readonly string[];
}

/**
 * For each value whether a connection of the provider has it: `same`, `different` from all that there are, or `absent`
 * because there are none. Takes as long whatever the value is. Noted in the audit trail by number, never by value.
 */
export async function compareSecrets(
  options: Pick<ConnectionsOptions, 'notify'>,
  store: ConnectionStore,
  provider: string,
  values: readonly string[],
): Promise<readonly Comparison[]> {
  const connections = await store.list(provider);
  const held: Held[] = [];
  for (const { name } of connections) {
    const secrets = Object.values((await store.find(provider, name))?.secrets ?? {});
    if (secrets.length > 0) held.push({ connection: name, secrets });
  }
  const fallback = await store.defaultOf(
    provider,
    connections.filter(({ name }) => held.some(({ connection }) => connection === name)),
  );
  const count = `${values.length} ${values.length === 1 ? 'value' : 'values'}`;
  options.notify({ event: 'secret.compared', provider, outcome: 'ok', detail: count });
  return values.map((value) => compare(value, held, fallback));
}

function compare(value: string, held: readonly Held[], fallback: string | undefined): Comparison {
  // No early end: every secret is looked at.
  const matching = held.filter(
    ({ secrets }) => secrets.map((secret) => sameText(secret, value)).filter(Boolean).length > 0,
  );
  const [first] = matching;
  if (first !== undefined) return { inVault: 'same', connection: first.connection };
  return { inVault: held.length > 0 ? 'different' : 'absent', connection: fallback };
}
