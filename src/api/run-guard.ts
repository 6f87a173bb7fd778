import type { Context, MiddlewareHandler } from 'hono';
import type { Origin } from '../audit/index.ts';
import { askPerson } from '../command-line.ts';
import { AuthsomeError } from '../errors.ts';
import { parseJson } from '../json.ts';
import { currentCaller, type Tenant, type Tenants } from '../principals/index.ts';
import type { AppEnv } from './app.ts';
import { type CallOrigin, type OriginOptions, originOf } from './calling-process.ts';
import { type GuardedRequest, guardedCalls } from './guarded-calls.ts';
import { callOf } from './roles.ts';

export interface RunGuardOptions extends OriginOptions {
  readonly tenants: Tenants;
}

/**
 * Refuses what a run may not ask for (`guarded-calls.ts`) to callers that descend from one, and records it. Stands behind
 * `authenticate` and `requireRole`.
 */
export function runGuard(options: RunGuardOptions): MiddlewareHandler<AppEnv> {
  return async (context, next) => {
    const route = callOf(context);
    const guarded = route === undefined ? undefined : guardedCalls[route.call];
    if (route === undefined || guarded === undefined) return next();
    const caller = context.get('caller');
    const request = requestIn(context, route.path, options.tenants);
    const isRefused = (await guarded.isRefused?.(request)) ?? true;
    if (!isRefused && guarded.isRecorded !== true) return next();
    const found = await originOf(context, options);
    if (isRefused && isRefusedTo(found)) {
      throw refusedInRun(await options.tenants.of(caller), {
        provider: request.provider || undefined,
        identity: caller.handle,
        origin: found.origin,
        what: guarded.what(request),
        hint: askPerson(guarded.command(request)),
      });
    }
    context.set('origin', found.origin);
    context.set('isInRun', isRefusedTo(found));
    return currentCaller.run({ ...caller, origin: found.origin }, next);
  };
}

/** What a record of the call has about its process, if that was looked for. */
export function recordedOrigin(context: Context<AppEnv>): Origin {
  return context.get('origin') ?? {};
}

export function isRefusedTo({ surrounding }: CallOrigin): boolean {
  return surrounding !== undefined && !surrounding.isTrusted;
}

/** The error for what only a person may do. */
export function deniedInRun(what: string, hint: string): AuthsomeError {
  return new AuthsomeError('DeniedInRun', `not from inside a run: ${what}`, { hint });
}

/** What was asked for inside a run. */
export interface RefusedInRun {
  readonly provider: string | undefined;
  /** The caller's handle; `undefined` for a browser, which has none. */
  readonly identity: string | undefined;
  readonly origin: Origin;
  /** As `GuardedCall` has it. */
  readonly what: string;
  /** What a person does about it. */
  readonly hint: string;
}

/** Puts on record what a run may not have, and returns the error for it. */
export function refusedInRun(
  { audit }: Pick<Tenant, 'audit'>,
  { provider, identity, origin, what, hint }: RefusedInRun,
): AuthsomeError {
  audit.append({
    event: 'call.refused',
    ...(provider === undefined ? {} : { provider }),
    ...(identity === undefined ? {} : { identity }),
    ...origin,
    outcome: 'DeniedInRun',
    detail: what,
  });
  return deniedInRun(what, hint);
}

function requestIn(context: Context<AppEnv>, path: string, tenants: Tenants): GuardedRequest {
  const segments = new URL(context.req.url).pathname.split('/');
  const parameter = (name: string): string => {
    const at = path.split('/').indexOf(name);
    return at < 0 ? '' : decoded(segments[at] ?? '');
  };
  const body = parseJson(Buffer.from(context.get('body')).toString('utf8'));
  return {
    provider: parameter(':provider'),
    session: parameter(':id'),
    query: (name) => context.req.query(name),
    // One that is malformed is refused by its own route.
    body: typeof body === 'object' && body !== null ? (body as Readonly<Record<string, unknown>>) : {},
    tenant: () => tenants.of(context.get('caller')),
  };
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
