import type { Context } from 'hono';
import { z } from 'zod';
import type { PassphraseDocument, PassphraseRequest } from '../../client/index.ts';
import type { Tenants } from '../../principals/index.ts';
import type { AppEnv, Routes } from '../app.ts';
import { parseBody } from '../body.ts';
import { recordedOrigin } from '../run-guard.ts';

const passphraseRequest = z.object({ passphrase: z.string() }) satisfies z.ZodType<PassphraseRequest>;

/** Calls about what opens the vaults of the home. */
export function vaultRoutes(tenants: Tenants): Routes {
  const change = async (
    context: Context<AppEnv>,
    passphrase: string | undefined,
  ): Promise<PassphraseDocument> => {
    const caller = context.get('caller');
    const sources = await tenants.changePassphrase(passphrase);
    const { audit } = await tenants.of(caller);
    audit.append({
      event: passphrase === undefined ? 'vault.passphrase_removed' : 'vault.passphrase_set',
      identity: caller.handle,
      ...recordedOrigin(context),
      outcome: 'ok',
      detail: `what opens the vault now: ${sources.join(', ')}`,
    });
    return { v: 1, vault: caller.principal.vaultId, key_sources: sources };
  };
  return (app) => {
    app.put('/v1/vault/passphrase', async (context) => {
      const body = context.get('body');
      const { passphrase } = parseBody(body, passphraseRequest);
      // Its text is the runtime's to forget; these bytes are not.
      body.fill(0);
      return context.json(await change(context, passphrase));
    });
    app.delete('/v1/vault/passphrase', async (context) => context.json(await change(context, undefined)));
  };
}
