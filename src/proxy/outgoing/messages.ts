import { misplacementOf, type RequestRecord } from '../authorize/index.ts';
import { type Refusal, refuse } from '../decide/index.ts';
import type { PhantomFinder, PlacedPhantom } from '../phantoms/index.ts';
import { ClientFrames, type Stop } from '../websocket/index.ts';
import { ContentSearch } from './content-search.ts';

/** Whether an `Upgrade` or `:protocol` asks for WebSocket (RFC 6455 §4.1, RFC 8441 §5). */
export function isWebSocket(protocol: string | undefined): boolean {
  return protocol !== undefined && /(?:^|,)[ \t]*websocket[ \t]*(?:,|$)/i.test(protocol);
}

/** The field that offers to compress messages, and more (RFC 6455 §9.1). Whoever reads the frames takes none. */
export const extensionsField = 'sec-websocket-extensions';

/** What a client of a WebSocket connection sends, searched for phantoms. */
export function searchedFrames(finderNow: () => PhantomFinder): ClientFrames<PlacedPhantom> {
  return new ClientFrames({
    search() {
      const search = new ContentSearch(finderNow());
      return (bytes, start, end) => {
        search.look(bytes, start, end);
        return search.found && { phantom: search.found, place: { kind: 'message' } };
      };
    },
    place: undefined,
  });
}

/** The refusal of a message that ended its connection. */
export function refusalOfMessage(record: RequestRecord, stop: Stop<PlacedPhantom>): Refusal {
  return stop.kind === 'malformed'
    ? refuse('MalformedRequest', `the client's WebSocket messages cannot be read: ${stop.reason}`)
    : misplacementOf(record, stop.why);
}
