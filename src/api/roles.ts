import type { Context, MiddlewareHandler } from 'hono';
import { matchedRoutes } from 'hono/route';
import { AuthsomeError } from '../errors.ts';
import type { Caller } from '../principals/index.ts';
import type { AppEnv } from './app.ts';

type Role = Caller['principal']['role'];

/**
 * The role that each signed call needs. An admin defines providers, sees every event and stops the daemon; what a user
 * calls is answered from the user's own vault and events. A call that is not listed needs an admin.
 */
export const neededRoles: Readonly<Record<string, Role>> = {
  'GET /v1/whoami': 'user',
  'GET /v1/doctor': 'user',
  'POST /v1/daemon/stop': 'admin',
  'PUT /v1/vault/passphrase': 'admin',
  'DELETE /v1/vault/passphrase': 'admin',
  'GET /v1/providers': 'user',
  'POST /v1/providers': 'admin',
  'GET /v1/providers/:provider': 'user',
  'DELETE /v1/providers/:provider': 'admin',
  'POST /v1/providers/:provider/revoke': 'user',
  'GET /v1/connections/:provider': 'user',
  'DELETE /v1/connections/:provider': 'user',
  'PUT /v1/connections/:provider/default': 'user',
  'GET /v1/connections/:provider/hosts': 'user',
  'POST /v1/connections/:provider/approve-hosts': 'user',
  'POST /v1/connections/:provider/adopt': 'user',
  'POST /v1/connections/:provider/export': 'user',
  'POST /v1/auth-sessions': 'user',
  'GET /v1/auth-sessions/last': 'user',
  'GET /v1/auth-sessions/:id': 'user',
  'POST /v1/auth-sessions/:id/callback': 'user',
  'POST /v1/auth-sessions/:id/client': 'user',
  'POST /v1/auth-sessions/:id/secret': 'user',
  'POST /v1/auth-sessions/:id/address': 'user',
  'DELETE /v1/auth-sessions/:id': 'user',
  'GET /v1/audit': 'user',
  'GET /v1/decisions/:id': 'user',
  'POST /v1/decisions/preview': 'user',
  'GET /v1/probes': 'user',
  'POST /v1/runs': 'user',
  'POST /v1/runs/preview': 'user',
  'GET /v1/scan': 'user',
  'POST /v1/scan': 'user',
  'POST /v1/scan/phantoms': 'user',
  'POST /v1/scan/undo': 'user',
};

/** The call that a request makes, as the tables of calls name it; `undefined` for an unknown one. */
export function callOf(
  context: Context<AppEnv>,
): { readonly call: string; readonly path: string } | undefined {
  const route = matchedRoutes(context).find(({ path }) => !path.endsWith('*'));
  return route === undefined ? undefined : { call: `${route.method} ${route.path}`, path: route.path };
}

/** Refuses a call that needs a role which its caller does not have. Stands behind `authenticate`. */
export function requireRole(): MiddlewareHandler<AppEnv> {
  return async (context, next) => {
    const { role } = context.get('caller').principal;
    const route = callOf(context);
    const needed = route === undefined ? 'user' : (neededRoles[route.call] ?? 'admin');
    if (needed === 'admin' && role !== 'admin') {
      throw new AuthsomeError('OperationNotAllowed', 'this needs the role admin', {
        hint: 'Ask an admin of this daemon to do it. Your role: authsome whoami',
      });
    }
    await next();
  };
}
