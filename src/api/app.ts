import type { HttpBindings } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { Origin } from '../audit/index.ts';
import { AuthsomeError, asAuthsomeError, errorDocument, statusOf } from '../errors.ts';
import type { Caller } from '../principals/index.ts';
import { guard, protectiveHeaders } from './guard.ts';

/** What the handler of a signed call has in its context. */
export interface AppEnv {
  readonly Bindings: Partial<HttpBindings>;
  readonly Variables: {
    readonly caller: Caller;
    /** The complete body, as it was signed. */
    readonly body: Uint8Array;
    /** The `Signature` header of a call that is authentic; `undefined` for any other. */
    readonly answers: string | undefined;
    /** The secret in `server/daemon.json`, for a caller that has proved to know it. */
    readonly homeSecret: Uint8Array | undefined;
    /** Which process makes it, where that was looked for. */
    readonly origin?: Origin;
    /** Whether that is inside of a run that is not trusted. */
    readonly isInRun?: boolean;
  };
}

/** Where failed calls are logged. The log decides what of an error may be written. */
export interface FailureLog {
  /** A failure that the caller sees in full. */
  expected(message: string, error: AuthsomeError): void;
  /** A bug: whatever was thrown. */
  unexpected(message: string, thrown: unknown): void;
}

export type Routes = (app: Hono<AppEnv>) => void;

export interface AppOptions {
  /** The daemon's own `host:port` values; the first is the one to show. */
  readonly allowedHosts: () => ReadonlySet<string>;
  readonly failures: FailureLog;
  /** Called for each request that another site caused. Throws if another user made it, which then is the reason. */
  readonly onRefused?: (context: Context<AppEnv>) => Promise<void>;
  readonly routes: readonly Routes[];
}

/** The HTTP application: the guard comes before all routes, and what fails is answered with an error document. */
export function createApp(options: AppOptions): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  app.use(async (context, next) => {
    // Before the handler: adding a header to a finished response would copy the response each time.
    for (const [name, value] of Object.entries(protectiveHeaders())) context.header(name, value);
    await next();
  });
  app.use(guard(options.allowedHosts, options.onRefused ?? (async () => {})));
  for (const add of options.routes) add(app);
  app.notFound((context) => {
    const error = new AuthsomeError('Usage', `unknown API call: ${context.req.method} ${context.req.path}`, {
      hint: 'Check that the daemon has the same version: authsome daemon status',
    });
    return context.json(errorDocument(error), 404);
  });
  app.onError((thrown, context) => {
    const error = asAuthsomeError(thrown);
    if (error.code === 'Unexpected') options.failures.unexpected('a call failed unexpectedly', thrown);
    else options.failures.expected('a call failed', error);
    // Through the context, so that a failure carries the daemon's proof too.
    return context.body(JSON.stringify(errorDocument(error)), {
      status: statusOf(error.code) as ContentfulStatusCode,
      headers: { 'Content-Type': 'application/json' },
    });
  });
  return app;
}
