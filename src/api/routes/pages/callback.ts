import type { Context } from 'hono';
import { AuthsomeError, asAuthsomeError } from '../../../errors.ts';
import type { Tenant, Tenants } from '../../../principals/index.ts';
import type { AppEnv } from '../../app.ts';
import { browserOf } from './cookie-browser.ts';
import { pagePath } from './page-path.ts';

export interface CallbackOptions {
  readonly tenants: Tenants;
  /** Called for each callback that belongs to no sign-in here. */
  readonly onUnknownCallback: () => void;
}

/** Completes the sign-in whose state the callback brings, and leads the browser to its page. */
export async function answerCallback(
  context: Context<AppEnv>,
  { tenants, onUnknownCallback }: CallbackOptions,
): Promise<Response> {
  const landing = new URL(context.req.url);
  let refusal: unknown = new AuthsomeError('StateMismatch', 'OAuth state parameter does not match');
  for (const { connections } of await concerned(await tenants.all(), landing.searchParams)) {
    try {
      const session = await connections.signIns.callback(landing, browserOf(context));
      // A sign-in that needs another authorization asks for it at once, since the person is there.
      const isGoingOn = session.status === 'waiting' && session.providerUrl !== undefined;
      // Either way the browser leaves the address that has the code: it is in no history, and a reload does no harm.
      return context.redirect((isGoingOn ? session.providerUrl : undefined) ?? pagePath(session.id), 303);
    } catch (error) {
      refusal = error;
      if (asAuthsomeError(error).code !== 'StateMismatch') break;
    }
  }
  if (asAuthsomeError(refusal).code === 'StateMismatch') onUnknownCallback();
  throw refusal;
}

/** The tenant whose sign-in expects this callback, so that it warns no other; all of them when none does. */
async function concerned(all: readonly Tenant[], params: URLSearchParams): Promise<readonly Tenant[]> {
  for (const tenant of all)
    if ((await tenant.connections.signIns.expecting(params)) !== undefined) return [tenant];
  return all;
}
