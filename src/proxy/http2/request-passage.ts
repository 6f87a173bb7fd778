import { type ClientHttp2Stream, constants, type ServerHttp2Stream } from 'node:http2';
import { AuthsomeError } from '../../errors.ts';
import type { CredentialUse, RequestRecord } from '../authorize/index.ts';
import type { Refusal } from '../decide/index.ts';
import {
  ContentSearch,
  isSearched,
  isWebSocket,
  refusalOfContent,
  refusalOfMessage,
  searchedFrames,
} from '../outgoing/index.ts';
import type { PhantomFinder, PlacedPhantom } from '../phantoms/index.ts';
import { closeFrame, closeReason, FrameBoundary, type Stop } from '../websocket/index.ts';
import type { Passage } from './body-relay.ts';
import type { Http2Request } from './headers.ts';

/** The stream whose request is searched. */
export interface SearchedStream {
  readonly client: ServerHttp2Stream;
  readonly record: RequestRecord;
  refuse(refusal: Refusal): void;
  /** Ends a response that has begun so that it does not look complete. */
  abort(why: AuthsomeError, code: number): void;
  /** Lets go of its upstream. Returns false if it had done so before. */
  leave(upstream: ClientHttp2Stream): boolean;
  /** The credential that the request carries. */
  readonly use: CredentialUse | undefined;
}

/** What of a request's data goes on to its upstream; `undefined` for all of it. */
export function passageOf(
  stream: SearchedStream,
  { headers, protocol }: Http2Request,
  upstream: ClientHttp2Stream,
  finderNow: () => PhantomFinder,
): Passage | undefined {
  const finder = finderNow();
  if (finder.isEmpty) return undefined;
  if (isWebSocket(protocol)) return messagePassage(stream, upstream, finderNow);
  if (!isSearched(finder, headers['content-type'])) return undefined;
  const search = new ContentSearch(finder);
  return (chunk, send) => {
    if (!search.look(chunk, 0, chunk.length)) send(chunk);
    else if (stream.leave(upstream)) endMisplaced(stream, refusalOfContent(stream.record, search));
  };
}

/** Refuses a request for what was found in it, or ends the response that it has. */
export function endMisplaced(stream: SearchedStream, refusal: Refusal): void {
  if (!stream.client.headersSent) stream.refuse(refusal);
  else stream.abort(new AuthsomeError(refusal.code, refusal.detail), constants.NGHTTP2_CANCEL);
}

function messagePassage(
  stream: SearchedStream,
  upstream: ClientHttp2Stream,
  finderNow: () => PhantomFinder,
): Passage {
  const frames = searchedFrames(finderNow, stream.use);
  const boundary = new FrameBoundary();
  upstream.on('data', (chunk: Buffer) => boundary.push(chunk));
  return (chunk, send) => {
    const stop = frames.push(chunk, send);
    if (stop === undefined || !stream.leave(upstream)) return;
    if (boundary.isReached && stream.client.headersSent) close(stream, stop);
    else endMisplaced(stream, refusalOfMessage(stream.record, stop));
  };
}

/** Ends the connection in the way of its own protocol. */
function close({ client, record }: SearchedStream, stop: Stop<PlacedPhantom>): void {
  const { code } = record.refuse(refusalOfMessage(record, stop));
  const kind = stop.kind === 'malformed' ? closeReason.protocolError : closeReason.policyViolation;
  client.end(closeFrame(kind, `${code}: authsome explain ${record.id}`), () => {
    if (!client.readableEnded) client.close(constants.NGHTTP2_NO_ERROR);
  });
}
