import type { HealthDocument, ReadyDocument } from '../../client/index.ts';
import type { Routes } from '../app.ts';

export interface OpenRoutesOptions {
  readonly version: string;
  readonly pid: number;
  readonly ready: () => Promise<ReadyDocument>;
}

/** Calls that need no signature: whether the daemon is alive, and whether it can work. */
export function openRoutes({ version, pid, ready }: OpenRoutesOptions): Routes {
  return (app) => {
    app.get('/health', (context) => {
      const document: HealthDocument = { v: 1, service: 'authsome', status: 'ok', version, pid };
      return context.json(document);
    });
    app.get('/ready', async (context) => {
      const document = await ready();
      return context.json(document, document.ready ? 200 : 503);
    });
  };
}
