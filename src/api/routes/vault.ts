import { z } from 'zod';
import type { PassphraseDocument, PassphraseRequest } from '../../client/index.ts';
import type { Caller, Tenants } from '../../principals/index.ts';
import type { Routes } from '../app.ts';
import { parseBody } from '../body.ts';

const passphraseRequest = z.object({ passphrase: z.string() }) satisfies z.ZodType<PassphraseRequest>;

/** Calls about what opens the vaults of the home. */
export function vaultRoutes(tenants: Tenants): Routes {
  const change = async (caller: Caller, passphrase: string | undefined): Promise<PassphraseDocument> => {
    const sources = await tenants.changePassphrase(passphrase);
    const { audit } = await tenants.of(caller);
    audit.append({
      event: passphrase === undefined ? 'vault.passphrase_removed' : 'vault.passphrase_set',
      identity: caller.handle,
      outcome: 'ok',
      detail: `what opens the vault now: ${sources.join(', ')}`,
    });
    return { v: 1, vault: caller.principal.vaultId, key_sources: sources };
  };
  return (app) => {
    app.put('/v1/vault/passphrase', async (context) => {
      const { passphrase } = parseBody(context.get('body'), passphraseRequest);
      return context.json(await change(context.get('caller'), passphrase));
    });
    app.delete('/v1/vault/passphrase', async (context) =>
      context.json(await change(context.get('caller'), undefined)),
    );
  };
}
