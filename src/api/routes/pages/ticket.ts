import type { Context } from 'hono';
import type { AuthSession } from '../../../connections/index.ts';
import { AuthsomeError } from '../../../errors.ts';
import type { Tenants } from '../../../principals/index.ts';
import type { AppEnv } from '../../app.ts';
import { continuePage } from '../../pages/index.ts';
import { browserOf } from './cookie-browser.ts';
import { findInTenants } from './find-session.ts';
import { pagePath } from './page-path.ts';
import { elsewherePage, elsewhereStatus } from './state-page.ts';

type TicketContext = Context<AppEnv, '/auth/sessions/:id/:ticket'>;

/** What a request for a ticket is, by what the browser says of it. */
type Visit = 'person' | 'from-elsewhere' | 'not-yet' | 'not-a-page';

/**
 * Only a navigation that a person sees uses a ticket up. A browser that fetches ahead, or a program that previews links,
 * would otherwise be the first one. A page elsewhere, or a file, may have a link to it, and so leads to it in two steps.
 */
export function visitOf(method: string, header: (name: string) => string | undefined): Visit {
  if (method !== 'GET') return 'not-a-page';
  // `Purpose` and `X-Moz` are what browsers sent before `Sec-Purpose`.
  const purpose = [header('sec-purpose'), header('purpose'), header('x-purpose'), header('x-moz')].join(' ');
  if (/prefetch|prerender|preview/i.test(purpose)) return 'not-yet';
  const mode = header('sec-fetch-mode') ?? 'navigate';
  const destination = header('sec-fetch-dest') ?? 'document';
  if (mode !== 'navigate' || destination !== 'document') return 'not-a-page';
  const site = header('sec-fetch-site') ?? 'none';
  return site === 'none' || site === 'same-origin' ? 'person' : 'from-elsewhere';
}

/** GET: the browser that comes first takes part in the sign-in, and is led on to what it needs now. */
export async function answerTicket(
  context: TicketContext,
  { tenants }: { readonly tenants: Tenants },
): Promise<Response> {
  switch (visitOf(context.req.method, (name) => context.req.header(name))) {
    case 'not-a-page':
      throw new AuthsomeError('OperationNotAllowed', 'this address is for a tab of your browser');
    case 'not-yet':
      // Any answer but an error could be shown later, in place of the real one.
      return context.body(null, 503);
    case 'from-elsewhere':
      return context.html(continuePage(stepOf(context)));
    case 'person':
      break;
  }
  const { id, ticket } = context.req.param();
  const { result } = await findInTenants(tenants, ({ connections }) =>
    connections.signIns.open(browserOf(context), id, ticket),
  );
  const { isAdmitted, session } = result;
  if (isAdmitted) return context.redirect(destinationOf(session), 303);
  return context.html(elsewherePage(session), elsewhereStatus(session));
}

/** A browser that says of the second step, too, that it comes from elsewhere would go round and round by itself. */
function stepOf(context: TicketContext): { readonly href: string; readonly isAutomatic: boolean } {
  const { pathname, searchParams } = new URL(context.req.url);
  return { href: `${pathname}?step=2`, isAutomatic: !searchParams.has('step') };
}

/** The provider, when nothing is to be asked or shown first: so its address, with the state, is in no program's arguments. */
function destinationOf({ id, status, providerUrl, verificationUri }: AuthSession): string {
  const isAtProvider = status === 'waiting' && verificationUri === undefined;
  return (isAtProvider ? providerUrl : undefined) ?? pagePath(id);
}
