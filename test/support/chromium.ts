/** The system's Chromium, for what only a real browser shows. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import type { Service } from './service/index.ts';

export interface Chromium {
  /** A fresh profile. */
  context(): Promise<BrowserContext>;
  close(): Promise<void>;
}

/** The system's Chromium, which finds the demo's names at the service and calls nobody else. */
export async function launchChromium(service: Service): Promise<Chromium> {
  const browser = await chromium.launch({
    executablePath: findChromium(),
    args: [
      '--no-sandbox',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-domain-reliability',
      '--disable-sync',
      '--no-first-run',
      '--no-pings',
      `--host-resolver-rules=MAP *.test:443 127.0.0.1:${service.port}, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1`,
    ],
  });
  return {
    context: () => browser.newContext({ ignoreHTTPSErrors: true }),
    close: () => browser.close(),
  };
}

/** Whatever a page says to its console from now on, or asks for from elsewhere than `origins`; both lists may grow. */
export function collectComplaints(page: Page, origins: readonly string[]): readonly string[] {
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => {
    if (!origins.includes(new URL(request.url()).origin)) complaints.push(request.url());
  });
  return complaints;
}

export function findChromium(): string {
  const names = ['chromium', 'chromium-browser', 'google-chrome'];
  for (const directory of (process.env.PATH ?? '').split(delimiter)) {
    for (const name of names) {
      try {
        accessSync(join(directory, name), constants.X_OK);
        return join(directory, name);
      } catch {
        // Not this one.
      }
    }
  }
  throw new Error('no chromium on PATH: npm test installs it');
}
