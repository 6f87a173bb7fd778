import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { AuthsomeError, asAuthsomeError, errorDocument, statusOf } from '../errors.ts';
import { guard, protectiveHeaders } from './guard.ts';
import { failureFields, type Log, unexpectedFields } from './log.ts';
import type { Caller } from './principals.ts';

/** What a handler of a signed call finds in its context. */
export interface AppEnv {
  readonly Bindings: Partial<HttpBindings>;
  readonly Variables: {
    readonly caller: Caller;
    /** The whole body, as it was signed. */
    readonly body: Uint8Array;
  };
}

export type Routes = (app: Hono<AppEnv>) => void;

export interface AppOptions {
  /** `host:port` values that are ours; the first is the one to show. */
  readonly allowedHosts: () => ReadonlySet<string>;
  readonly log: Log;
  readonly routes: readonly Routes[];
}

/** The daemon's HTTP face: the guard before everything, an error document for everything that fails. */
export function createApp(options: AppOptions): Hono<AppEnv> {
  const { log } = options;
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
    if (error.code === 'Unexpected') log.error('a call failed unexpectedly', unexpectedFields(thrown));
    else log.debug('a call failed', failureFields(error));
    // Through the context: the proof that was put there goes with a failure too.
    return context.body(JSON.stringify(errorDocument(error)), {
      status: statusOf(error.code) as ContentfulStatusCode,
      headers: { 'Content-Type': 'application/json' },
    });
  });
  return app;
}
