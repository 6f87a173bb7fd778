/**
 * Whether the other daemon of this home is alive. `client/port-holder` asks a similar question for commands, about
 * whatever listens on a port. The two stay apart: the daemon takes only types from `client`.
 */

import { readFileSync } from 'node:fs';
import { get } from 'node:http';

const answerTimeoutMs = 1_000;

/** Whether the daemon that `server/daemon.json` names is an authsome daemon and healthy. */
export async function otherDaemonIsHealthy(daemonFile: string): Promise<boolean> {
  const url = urlIn(daemonFile);
  if (url === undefined) return false;
  return new Promise((resolve) => {
    const request = get(`${url}/health`, { timeout: answerTimeoutMs }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk.slice(0, 4096 - text.length);
      });
      response.on('end', () => resolve(isHealth(text)));
      response.on('error', () => resolve(false));
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false));
  });
}

function urlIn(daemonFile: string): string | undefined {
  try {
    const { url } = JSON.parse(readFileSync(daemonFile, 'utf8')) as { readonly url?: unknown };
    return typeof url === 'string' && url.startsWith('http://') ? url : undefined;
  } catch {
    return undefined;
  }
}

function isHealth(text: string): boolean {
  try {
    const document = JSON.parse(text) as { readonly service?: unknown; readonly status?: unknown };
    return document.service === 'authsome' && document.status === 'ok';
  } catch {
    return false;
  }
}
