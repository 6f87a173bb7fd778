import type { Context } from 'hono';
import type { AuthSession } from '../../../connections/index.ts';
import { AuthsomeError, asAuthsomeError } from '../../../errors.ts';
import type { Tenant, Tenants } from '../../../principals/index.ts';
import type { AppEnv } from '../../app.ts';
import { readBody } from '../../body.ts';
import { csrfField, csrfToken, csrfTokenMatches, formCookie, formCookieIn } from '../../csrf.ts';
import { protectiveHeaders } from '../../guard.ts';
import { apiKeyFormPage, clientFormPage } from '../../pages/index.ts';
import { browserOf } from './cookie-browser.ts';
import { findInTenants } from './find-session.ts';
import { pagePath } from './page-path.ts';
import { sentence } from './sentence.ts';
import { statePage, statusOfPage } from './state-page.ts';

const longestFormBytes = 64 * 1024;

type SessionContext = Context<AppEnv, '/auth/sessions/:id'>;

export interface SessionPageOptions {
  readonly tenants: Tenants;
  readonly randomBytes: (size: number) => Uint8Array;
}

/** A form that was sent and refused. */
interface Attempt {
  readonly problem: string;
  readonly clientId: string;
}

/** A sign-in, and whose it is. */
interface Found {
  readonly tenant: Tenant;
  readonly session: AuthSession;
  /** The cookie of its browser. */
  readonly cookie: string;
}

/** GET: the form when the sign-in needs something, else its state. */
export async function showSession(context: SessionContext, options: SessionPageOptions): Promise<Response> {
  const found = await findSession(context, options);
  const { tenant, session } = found;
  if (session.asksFor !== undefined) return showForm(context, options, found);
  return context.html(statePage(session, definitionOf(tenant, session)?.setup.url), statusOfPage(session));
}

/** POST: takes the form's client or key to the sign-in, and leads on to what comes next. */
export async function answerForm(context: SessionContext, options: SessionPageOptions): Promise<Response> {
  const found = await findSession(context, options);
  const { tenant, session, cookie } = found;
  const form = await readForm(context);
  if (!csrfTokenMatches(cookie, formCookieIn(context.req.header('cookie')), form.get(csrfField))) {
    throw new AuthsomeError('OperationNotAllowed', 'this form was not sent from its own page', {
      hint: 'Open the page again from your terminal and send it from there. Cookies must be allowed for it.',
    });
  }
  if (session.asksFor === undefined) return context.redirect(pagePath(session.id), 303);
  const { signIns } = tenant.connections;
  const clientId = form.get('client_id') ?? '';
  try {
    const next =
      session.asksFor === 'client'
        ? await signIns.submitClient(session.id, { clientId, clientSecret: form.get('client_secret') ?? '' })
        : await signIns.submitSecret(session.id, form.get('api_key') ?? '');
    return context.redirect(next.providerUrl ?? pagePath(session.id), 303);
  } catch (thrown) {
    const error = asAuthsomeError(thrown);
    if (error.code !== 'InvalidKey') throw thrown;
    const problem = [sentence(error.message), error.hint].filter((part) => part !== undefined).join(' ');
    return showForm(context, options, found, { problem, clientId });
  }
}

/** The sign-in, for its own browser only. */
async function findSession(context: SessionContext, { tenants }: SessionPageOptions): Promise<Found> {
  const browser = browserOf(context);
  const id = context.req.param('id');
  const { tenant, result } = await findInTenants(tenants, ({ connections }) =>
    connections.signIns.readIn(browser, id),
  );
  return { tenant, ...result };
}

function showForm(
  context: SessionContext,
  { randomBytes }: SessionPageOptions,
  { tenant, session, cookie }: Found,
  attempt?: Attempt,
): Response {
  const path = pagePath(session.id);
  const ownCookie =
    formCookieIn(context.req.header('cookie')) ?? Buffer.from(randomBytes(24)).toString('base64url');
  context.header('Set-Cookie', formCookie(path, ownCookie));
  for (const [name, value] of Object.entries(protectiveHeaders(formTargets(session)))) {
    context.header(name, value);
  }
  const provider = definitionOf(tenant, session);
  const form = {
    action: path,
    csrfToken: csrfToken(cookie, ownCookie),
    displayName: session.displayName,
    connection: session.connection,
    setup: provider?.setup ?? { url: undefined, steps: [] },
    problem: attempt?.problem,
  };
  const page =
    session.asksFor === 'client'
      ? clientFormPage({ ...form, redirectUri: session.redirectUri, clientId: attempt?.clientId ?? '' })
      : apiKeyFormPage({ ...form, keyHint: provider?.apiKey?.keyPatternHint });
  return context.html(page, attempt === undefined ? 200 : 422);
}

async function readForm(context: SessionContext): Promise<URLSearchParams> {
  const type = context.req.header('content-type')?.split(';', 1)[0]?.trim().toLowerCase();
  if (type !== 'application/x-www-form-urlencoded') {
    throw new AuthsomeError('Usage', 'this is not a form that authsome sent');
  }
  return new URLSearchParams(new TextDecoder().decode(await readBody(context, longestFormBytes)));
}

/**
 * Where the form may lead (CSP `form-action` applies to the redirects that follow it, too): the provider, and its
 * subdomains, since some send people on to one.
 */
function formTargets({ asksFor, authorizationOrigin }: AuthSession): readonly string[] {
  if (asksFor !== 'client' || authorizationOrigin === undefined) return [];
  const { protocol, host, hostname } = new URL(authorizationOrigin);
  const isName = protocol === 'https:' && /[a-z]$/.test(hostname);
  return isName ? [authorizationOrigin, `https://*.${host}`] : [authorizationOrigin];
}

function definitionOf({ catalog }: Tenant, { provider }: AuthSession) {
  try {
    return catalog.find(provider);
  } catch {
    // The definition became malformed after the sign-in began: the form does without its setup steps.
    return undefined;
  }
}
