import type { Context } from 'hono';
import type { AuthSession } from '../connections/index.ts';
import { asAuthsomeError } from '../errors.ts';
import type { Tenant, Tenants } from '../principals/index.ts';
import type { AppEnv } from './app.ts';
import { type OriginOptions, originOf } from './calling-process.ts';
import { answeringText, isOfPerson } from './guarded-calls.ts';
import { isRefusedTo, refusedInRun } from './run-guard.ts';

export interface RunGateOptions extends OriginOptions {
  readonly tenants: Tenants;
}

/**
 * Throws `DeniedInRun` for a program in a run that asks for a page, or comes back to the callback, of a sign-in that a person
 * has begun. It may have read the address in the arguments of a browser. The sign-in goes on as if nobody had come.
 */
export async function requireOutsideOfRun(context: Context<AppEnv>, options: RunGateOptions): Promise<void> {
  const concerned = await signInOf(context, options.tenants);
  if (concerned === undefined || !isOfPerson(concerned.session)) return;
  const found = await originOf(context, options);
  if (!isRefusedTo(found)) return;
  const { tenant, session } = concerned;
  throw refusedInRun(tenant, {
    provider: session.provider,
    identity: undefined,
    origin: found.origin,
    what: answeringText,
    hint:
      'If this is your own browser, a program in a run has started it. Close all of its windows, start it yourself, and ' +
      'open the address again. The sign-in still waits.',
  });
}

/** The sign-in that a request is about, whether or not it may see it. */
async function signInOf(
  context: Context<AppEnv>,
  tenants: Tenants,
): Promise<{ readonly tenant: Tenant; readonly session: AuthSession } | undefined> {
  const id = context.req.param('id');
  const { searchParams } = new URL(context.req.url);
  for (const tenant of await tenants.all()) {
    const { signIns } = tenant.connections;
    const session = id === undefined ? await signIns.expecting(searchParams) : await knownSession(tenant, id);
    if (session !== undefined) return { tenant, session };
  }
  return undefined;
}

async function knownSession({ connections }: Tenant, id: string): Promise<AuthSession | undefined> {
  try {
    return await connections.signIns.waitForChange(id, 0, 0);
  } catch (error) {
    if (asAuthsomeError(error).code === 'SessionNotFound') return undefined;
    throw error;
  }
}
