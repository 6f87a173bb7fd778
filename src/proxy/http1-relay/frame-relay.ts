import type { Duplex } from 'node:stream';
import { type ClientFrames, closeFrame, closeReason, FrameBoundary, type Stop } from '../websocket/index.ts';

interface Relayed extends Duplex {
  allowHalfOpen: boolean;
}

/** What to do with a connection whose client sent what may not pass. */
export interface OnStop<Why> {
  /** Records it. Returns the reason that the client is given, in ASCII. */
  stopped(stop: Stop<Why>): string;
  /** Ends the client's connection once what was written has been sent. */
  end(): void;
}

/**
 * Relays a WebSocket connection: what the server sends unchanged, what the client sends through `frames`. Where those stop,
 * the upstream is cut, and the client gets a close frame, unless the server is in the middle of a frame.
 */
export function relayFrames<Why>(
  client: Relayed,
  upstream: Relayed,
  frames: ClientFrames<Why>,
  onStop: OnStop<Why>,
): void {
  client.allowHalfOpen = true;
  upstream.allowHalfOpen = true;
  const boundary = new FrameBoundary();
  let isStopped = false;
  const cut = (): void => {
    upstream.destroy();
    if (!isStopped) client.destroy();
  };
  for (const side of [client, upstream]) {
    side.on('error', cut);
    side.on('close', () => {
      // A side that ended both ways leaves the other alone, which may still have data to deliver.
      if (!side.readableEnded || !side.writableFinished) cut();
    });
  }
  const stop = (why: Stop<Why>): void => {
    isStopped = true;
    upstream.unpipe(client);
    upstream.destroy();
    const reason = onStop.stopped(why);
    const code = why.kind === 'malformed' ? closeReason.protocolError : closeReason.policyViolation;
    if (boundary.isReached) client.write(closeFrame(code, reason));
    onStop.end();
  };
  client.on('data', (chunk: Buffer) => {
    if (isStopped) return;
    let flows = true;
    const why = frames.push(chunk, (bytes) => {
      flows = upstream.write(bytes);
    });
    if (why !== undefined) stop(why);
    else if (!flows) client.pause();
  });
  client.on('end', () => upstream.end());
  upstream.on('drain', () => client.resume());
  upstream.on('data', (chunk: Buffer) => boundary.push(chunk));
  upstream.pipe(client);
  client.resume();
}
