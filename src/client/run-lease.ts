import type { IncomingMessage } from 'node:http';
import { AuthsomeError } from '../errors.ts';
import { parseJson, readDocument } from './exchange.ts';
import type { RunDocument } from './wire.ts';

/** A run of ours: it lives until `close`, or until this process or the daemon ends. */
export interface RunLease {
  readonly run: RunDocument;
  /** Resolves when the run has ended, from whichever side. */
  readonly ended: Promise<void>;
  close(): void;
}

/** The lease that an answer to `POST /v1/runs` opens with its first line. */
export async function readLease(response: IncomingMessage, origin: string): Promise<RunLease> {
  if (response.statusCode !== 200 && response.statusCode !== 201) {
    await readDocument(response, origin);
  }
  const ended = new Promise<void>((resolve) => {
    response.once('close', resolve);
    // A daemon that dies resets the connection; that is an end like any other.
    response.on('error', () => resolve());
  });
  const run = await firstLine(response, origin);
  // Silence is what a lease consists of from here on.
  response.socket.setTimeout(0);
  response.resume();
  return { run, ended, close: () => response.destroy() };
}

function firstLine(response: IncomingMessage, origin: string): Promise<RunDocument> {
  return new Promise((resolve, reject) => {
    let text = '';
    const failed = (): void =>
      reject(new AuthsomeError('DaemonUnavailable', `the daemon at ${origin} ended the run before it began`));
    response.setEncoding('utf8');
    response.once('close', failed);
    response.on('data', function read(chunk: string) {
      text += chunk;
      const end = text.indexOf('\n');
      if (end < 0) return;
      response.off('data', read).off('close', failed);
      const document = parseJson(text.slice(0, end));
      if (document === undefined) failed();
      else resolve(document as RunDocument);
    });
  });
}
