import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { AuthSession } from '../../connections/index.ts';
import { AuthsomeError, asAuthsomeError, statusOf } from '../../errors.ts';
import type { Tenant, Tenants } from '../../principals/index.ts';
import type { Catalog } from '../../providers/index.ts';
import type { AppEnv, FailureLog, Routes } from '../app.ts';
import { readBody } from '../body.ts';
import { csrfField, csrfToken, csrfTokenMatches, formCookie, formCookieIn } from '../csrf.ts';
import { protectiveHeaders } from '../guard.ts';
import {
  apiKeyFormPage,
  clientFormPage,
  connectedPage,
  failedPage,
  icon,
  script,
  sessionGonePage,
  stateMismatchPage,
  styleSheet,
  waitingPage,
} from '../pages/index.ts';

const longestFormBytes = 64 * 1024;

export interface PageRoutesOptions {
  readonly tenants: Tenants;
  readonly failures: FailureLog;
  readonly randomBytes: (size: number) => Uint8Array;
}

interface Attempt {
  readonly problem: string;
  readonly clientId: string;
}

/** What a browser sees: the pages of a sign-in, and the address that providers send people back to. */
export function pageRoutes({ tenants, failures, randomBytes }: PageRoutesOptions): Routes {
  const show = (context: Context<AppEnv>, page: string, status: ContentfulStatusCode = 200): Response =>
    context.html(page, status);

  const showFailure = (context: Context<AppEnv>, thrown: unknown): Response => {
    const error = asAuthsomeError(thrown);
    const status = statusOf(error.code) as ContentfulStatusCode;
    if (error.code === 'StateMismatch') return show(context, stateMismatchPage(), status);
    if (error.code === 'SessionNotFound')
      return show(context, sessionGonePage('unknown', 'authsome login <provider>'), status);
    if (error.code === 'Unexpected') failures.unexpected('a page failed unexpectedly', thrown);
    const page = failedPage({
      kind: 'bad',
      heading: 'That did not work',
      cause: sentence(error.message),
      hint: error.hint,
      settingsUrl: undefined,
    });
    return show(context, page, status);
  };

  const guarded =
    (handle: (context: Context<AppEnv>) => Promise<Response>) =>
    async (context: Context<AppEnv>): Promise<Response> => {
      try {
        return await handle(context);
      } catch (error) {
        return showFailure(context, error);
      }
    };

  /** Finds whose sign-in it is: a page has nothing to show but the session's id, which is a secret. */
  const find = async (id: string): Promise<{ readonly tenant: Tenant; readonly session: AuthSession }> => {
    for (const tenant of await tenants.all()) {
      try {
        return { tenant, session: await tenant.connections.signIns.read(id) };
      } catch (error) {
        if (asAuthsomeError(error).code !== 'SessionNotFound') throw error;
      }
    }
    throw new AuthsomeError('SessionNotFound', 'there is no such sign-in (any more)');
  };

  const showForm = (
    context: Context<AppEnv>,
    { catalog }: Tenant,
    session: AuthSession,
    attempt?: Attempt,
  ): Response => {
    const path = pagePath(session.id);
    const cookie =
      formCookieIn(context.req.header('cookie')) ?? Buffer.from(randomBytes(24)).toString('base64url');
    context.header('Set-Cookie', formCookie(path, cookie));
    for (const [name, value] of Object.entries(protectiveHeaders(formTargets(session)))) {
      context.header(name, value);
    }
    const provider = definition(catalog, session.provider);
    const form = {
      action: path,
      csrfToken: csrfToken(session.id, cookie),
      displayName: session.displayName,
      connection: session.connection,
      setup: provider?.setup ?? { url: undefined, steps: [] },
      problem: attempt?.problem,
    };
    const page =
      session.asksFor === 'client'
        ? clientFormPage({ ...form, redirectUri: session.redirectUri, clientId: attempt?.clientId ?? '' })
        : apiKeyFormPage({ ...form, keyHint: provider?.apiKey?.keyPatternHint });
    return show(context, page, attempt === undefined ? 200 : 422);
  };

  return (app) => {
    app.get('/auth/callback/oauth', (context) =>
      guarded(async () => {
        const params = new URL(context.req.url).searchParams;
        let refusal: unknown = new AuthsomeError('StateMismatch', 'OAuth state parameter does not match');
        for (const { connections } of await tenants.all()) {
          try {
            const session = await connections.signIns.callback(params);
            // Away from the address that holds the code: it leaves the history, and a reload does no harm.
            // One that goes on is asked for once more, at once: the person has just been there.
            const isGoingOn = session.status === 'waiting' && session.authUrl !== undefined;
            return context.redirect((isGoingOn ? session.authUrl : undefined) ?? pagePath(session.id), 303);
          } catch (error) {
            refusal = error;
            if (asAuthsomeError(error).code !== 'StateMismatch') break;
          }
        }
        throw refusal;
      })(context),
    );

    app.get('/auth/sessions/:id', (context) =>
      guarded(async () => {
        const { tenant, session } = await find(context.req.param('id'));
        if (session.asksFor !== undefined) return showForm(context, tenant, session);
        return show(context, statePage(session, definition(tenant.catalog, session.provider)?.setup.url));
      })(context),
    );

    app.post('/auth/sessions/:id', (context) =>
      guarded(async () => {
        const { tenant, session } = await find(context.req.param('id'));
        const form = await readForm(context);
        if (!csrfTokenMatches(session.id, formCookieIn(context.req.header('cookie')), form.get(csrfField))) {
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
              ? await signIns.submitClient(session.id, {
                  clientId,
                  clientSecret: form.get('client_secret') ?? '',
                })
              : await signIns.submitSecret(session.id, form.get('api_key') ?? '');
          return context.redirect(next.authUrl ?? pagePath(session.id), 303);
        } catch (thrown) {
          const error = asAuthsomeError(thrown);
          if (error.code !== 'InvalidKey') throw thrown;
          const problem = [sentence(error.message), error.hint]
            .filter((part) => part !== undefined)
            .join(' ');
          return showForm(context, tenant, session, { problem, clientId });
        }
      })(context),
    );

    const asset = (path: string, type: string, text: string): void => {
      app.get(path, (context) => context.body(text, 200, { 'Content-Type': type }));
    };
    asset('/assets/page.css', 'text/css; charset=utf-8', styleSheet);
    asset('/assets/page.js', 'text/javascript; charset=utf-8', script);
    asset('/assets/icon.svg', 'image/svg+xml', icon);
  };
}

export function pagePath(sessionId: string): string {
  return `/auth/sessions/${encodeURIComponent(sessionId)}`;
}

async function readForm(context: Context<AppEnv>): Promise<URLSearchParams> {
  const type = context.req.header('content-type')?.split(';', 1)[0]?.trim().toLowerCase();
  if (type !== 'application/x-www-form-urlencoded') {
    throw new AuthsomeError('Usage', 'this is not a form of ours');
  }
  return new URLSearchParams(new TextDecoder().decode(await readBody(context, longestFormBytes)));
}

/**
 * Where the form may end up (CSP `form-action` also holds for redirects that follow it): the provider, and its
 * subdomains, since some send people on to one.
 */
function formTargets({ asksFor, authorizationOrigin }: AuthSession): readonly string[] {
  if (asksFor !== 'client' || authorizationOrigin === undefined) return [];
  const { protocol, host, hostname } = new URL(authorizationOrigin);
  const isName = protocol === 'https:' && /[a-z]$/.test(hostname);
  return isName ? [authorizationOrigin, `https://*.${host}`] : [authorizationOrigin];
}

function definition(catalog: Catalog, name: string) {
  try {
    return catalog.find(name);
  } catch {
    // Malformed since the sign-in began: the form does without its setup steps.
    return undefined;
  }
}

function statePage(session: AuthSession, settingsUrl: string | undefined): string {
  const { displayName, connection, provider, granted, failure, flow, redirectUri } = session;
  switch (session.status) {
    case 'waiting':
      return waitingPage({
        displayName,
        authorizationUrl: session.authUrl,
        device:
          session.verificationUri === undefined || session.userCode === undefined
            ? undefined
            : { verificationUri: session.verificationUri, userCode: session.userCode },
        client: flow === 'pkce' ? { redirectUri, settingsUrl, provider } : undefined,
      });
    case 'connected':
      return connectedPage({
        displayName,
        connection,
        account: granted?.account,
        scopes: granted?.scopes ?? [],
        isRenewed: granted?.refreshable === true,
        expiresAt:
          granted?.expiresAtMs === undefined ? undefined : new Date(granted.expiresAtMs).toISOString(),
      });
    case 'failed':
    case 'expired': {
      return failedPage({
        kind: session.status === 'failed' ? 'bad' : 'warn',
        heading: session.status === 'failed' ? `${displayName} is not connected` : 'This sign-in has expired',
        cause: sentence(spelt(failure?.message ?? 'the sign-in failed', session)),
        hint: failure?.hint ?? `Start again with: ${session.signInAgain}`,
        settingsUrl,
      });
    }
    case 'cancelled':
      return sessionGonePage('cancelled', session.signInAgain);
  }
}

/** A terminal says `acme`, which is what one types there; a page says what people call it. */
function spelt(message: string, { provider, displayName }: AuthSession): string {
  return message.startsWith(`${provider} `) ? displayName + message.slice(provider.length) : message;
}

/** Error messages are lower-case fragments for a terminal; a page has sentences. */
function sentence(message: string): string {
  const text = message.charAt(0).toUpperCase() + message.slice(1);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
