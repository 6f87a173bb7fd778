import type { ServerHttp2Stream } from 'node:http2';
import type { BodyOwner } from './body-relay.ts';

/** The body of a request, or its beginning. */
export interface CollectedBody {
  /** All that has come. */
  readonly bytes: Buffer;
  /** Otherwise it was longer than asked for, and the stream is paused. */
  readonly isWhole: boolean;
}

/** Reads the body before the decision. `then` is not called for a stream that was reset. */
export function collectBody(
  owner: BodyOwner,
  client: ServerHttp2Stream,
  maxBytes: number,
  then: (body: CollectedBody) => void,
): void {
  const pieces: Buffer[] = [];
  let length = 0;
  const finish = (isWhole: boolean): void => {
    client.off('data', onData).off('end', onEnd);
    then({ bytes: Buffer.concat(pieces), isWhole });
  };
  const onData = (chunk: Buffer): void => {
    owner.moved();
    pieces.push(chunk);
    length += chunk.length;
    if (length <= maxBytes) return;
    client.pause();
    finish(false);
  };
  const onEnd = (): void => {
    // Node ends a stream that was reset like a complete one.
    if (client.rstCode === 0 && !client.aborted) finish(true);
  };
  client.on('data', onData).on('end', onEnd);
}
