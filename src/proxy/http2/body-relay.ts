import { type ClientHttp2Stream, constants, type ServerHttp2Stream } from 'node:http2';
import type { Duplex } from 'node:stream';
import type { AuthsomeError } from '../../errors.ts';
import { failures } from '../authorize/index.ts';
import type { Coding } from '../coding/index.ts';
import type { Needles } from '../needles/index.ts';
import { ScrubbedBody } from '../scrub/index.ts';

/** The stream that bodies are relayed for. */
export interface BodyOwner {
  readonly client: ServerHttp2Stream;
  /** Data has moved: the stream is not idle. */
  moved(): void;
  /** Runs a step; an error in it fails this stream, not the daemon. */
  guard(step: () => void): void;
  /** A response that has begun must not look complete. */
  abort(why: AuthsomeError, code: number): void;
}

/** Sends what may pass of a chunk. */
export type Passage = (chunk: Buffer, send: (bytes: Buffer) => void) => void;

/** Relays data no faster than it is taken. A pipe would add six more listeners. */
export function relayBody(owner: BodyOwner, from: Duplex, to: Duplex, passage?: Passage): void {
  let flows = true;
  const send = (bytes: Buffer): void => {
    flows = to.write(bytes);
  };
  from.on('data', (chunk: Buffer) => {
    owner.moved();
    if (to.closed) return;
    if (passage === undefined) send(chunk);
    else passage(chunk, send);
    if (!flows) from.pause();
  });
  to.on('drain', () => {
    flows = true;
    from.resume();
  });
}

/** Relays a response's body without the secret. The caller says when the body has ended: `finish` or `abort`. */
export function relayScrubbedBody(
  owner: BodyOwner,
  upstream: ClientHttp2Stream,
  needlesNow: () => Needles,
  codings: readonly Coding[],
): ScrubbedBody {
  const { client } = owner;
  let isBlocked = false;
  const updateFlow = (): void => {
    if (isBlocked || client.writableNeedDrain) upstream.pause();
    else upstream.resume();
  };
  const body = new ScrubbedBody(needlesNow, codings, {
    emit(bytes) {
      const flows = client.closed || client.write(bytes);
      if (!flows) updateFlow();
      return flows;
    },
    block(on) {
      isBlocked = on;
      updateFlow();
    },
    guard: (step) => owner.guard(step),
    ended(isComplete) {
      if (isComplete) client.end();
      else owner.abort(failures.undecodable(), constants.NGHTTP2_NO_ERROR);
    },
  });
  client.on('drain', () => {
    body.resume();
    updateFlow();
  });
  client.once('close', () => body.abort());
  upstream.on('data', (chunk: Buffer) => {
    owner.moved();
    body.push(chunk);
  });
  return body;
}
