import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { AuthsomeError, asAuthsomeError, errorDocument, statusOf } from '../errors.ts';
import type { Caller } from '../principals/index.ts';
import { guard, protectiveHeaders } from './guard.ts';

/** What a handler of a signed call finds in its context. */
export interface AppEnv {
  readonly Bindings: Partial<HttpBindings>;
  readonly Variables: {
    readonly caller: Caller;
    /** The whole body, as it was signed. */
    readonly body: Uint8Array;
  };
}

/** Where failed calls are reported. What of an error may be written down is for the log to decide. */
export interface FailureLog {
  /** A failure that the caller is told of in full. */
  expected(message: string, error: AuthsomeError): void;
  /** A fault of ours: whatever was thrown. */
  unexpected(message: string, thrown: unknown): void;
}

export type Routes = (app: Hono<AppEnv>) => void;

export interface AppOptions {
  /** `host:port` values that are ours; the first is the one to show. */
  readonly allowedHosts: () => ReadonlySet<string>;
  readonly failures: FailureLog;
  readonly routes: readonly Routes[];
}

/** The daemon's HTTP face: the guard before everything, an error document for everything that fails. */
export function createApp(options: AppOptions): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  app.use(async (context, next) => {
    // Before there is an answer: to one that is there, each header would be given by making a new one.
    for (const [name, value] of Object.entries(protectiveHeaders())) context.header(name, value);
    await next();
  });
  app.use(guard(options.allowedHosts));
  for (const add of options.routes) add(app);
  app.notFound((context) => {
    const error = new AuthsomeError('Usage', `no such call: ${context.req.method} ${context.req.path}`, {
      hint: 'See whether the daemon is as new as the caller: authsome daemon status',
    });
    return context.json(errorDocument(error), 404);
  });
  app.onError((thrown, context) => {
    const error = asAuthsomeError(thrown);
    if (error.code === 'Unexpected') options.failures.unexpected('a call failed unexpectedly', thrown);
    else options.failures.expected('a call failed', error);
    // Through the context: the proof that was put there goes with a failure too.
    return context.body(JSON.stringify(errorDocument(error)), {
      status: statusOf(error.code) as ContentfulStatusCode,
      headers: { 'Content-Type': 'application/json' },
    });
  });
  return app;
}
