import type { Context } from 'hono';
import { isLoopbackHost } from '../../../loopback.ts';
import type { AppEnv, FailureLog, Routes } from '../../app.ts';
import { icon, script, styleSheet } from '../../pages/index.ts';
import { type PeerGateOptions, requireAllowedPeer } from '../../peer.ts';
import { type RunGateOptions, requireOutsideOfRun } from '../../run-gate.ts';
import { answerCallback } from './callback.ts';
import { failurePage } from './failure-page.ts';
import { answerForm, showSession } from './session-page.ts';
import { answerTicket } from './ticket.ts';

export interface PageRoutesOptions extends RunGateOptions {
  readonly failures: FailureLog;
  readonly randomBytes: (size: number) => Uint8Array;
  readonly peerGate: PeerGateOptions;
  /** The origin that the cookies belong to, of all by which this machine can address the daemon. */
  readonly origin: string;
  readonly onUnknownCallback: () => void;
}

/** The routes that a browser opens. */
export function pageRoutes(options: PageRoutesOptions): Routes {
  const { failures, peerGate, origin } = options;
  /** Whatever the handler throws becomes a page. */
  const page =
    <Path extends string>(handle: (context: Context<AppEnv, Path>) => Promise<Response>) =>
    async (context: Context<AppEnv, Path>): Promise<Response> => {
      try {
        await requireAllowedPeer(context, peerGate);
        const url = new URL(context.req.url);
        // A cookie of `127.0.0.1` is not sent to `localhost`, where a provider may send the browser.
        const isOtherName = isLoopbackHost(url.hostname) && url.origin !== origin;
        if (context.req.method === 'GET' && isOtherName) {
          return context.redirect(origin + url.pathname + url.search, 303);
        }
        await requireOutsideOfRun(context, options);
        return await handle(context);
      } catch (thrown) {
        return failurePage(context, failures, thrown);
      }
    };
  return (app) => {
    // A client that was registered at a server has a redirect URI of that server's own.
    for (const path of ['/auth/callback/oauth', '/auth/callback/oauth/:server']) {
      app.get(
        path,
        page((context) => answerCallback(context, options)),
      );
    }
    app.get(
      '/auth/sessions/:id',
      page((context) => showSession(context, options)),
    );
    app.get(
      '/auth/sessions/:id/:ticket',
      page((context) => answerTicket(context, options)),
    );
    app.post(
      '/auth/sessions/:id',
      page((context) => answerForm(context, options)),
    );
    const asset = (path: string, type: string, text: string): void => {
      app.get(path, (context) => context.body(text, 200, { 'Content-Type': type }));
    };
    asset('/assets/page.css', 'text/css; charset=utf-8', styleSheet);
    asset('/assets/page.js', 'text/javascript; charset=utf-8', script);
    asset('/assets/icon.svg', 'image/svg+xml', icon);
  };
}
