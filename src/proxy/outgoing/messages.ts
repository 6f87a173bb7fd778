import { type CredentialUse, misplacementOf, type RequestRecord } from '../authorize/index.ts';
import { type Filled, standingsIn } from '../content/index.ts';
import { type Refusal, refuse } from '../decide/index.ts';
import type { FoundPhantom, PhantomFinder, PlacedPhantom } from '../phantoms/index.ts';
import { ClientFrames, type Placed, type Stop } from '../websocket/index.ts';
import { ContentSearch } from './content-search.ts';

/** Whether an `Upgrade` or `:protocol` asks for WebSocket (RFC 6455 §4.1, RFC 8441 §5). */
export function isWebSocket(protocol: string | undefined): boolean {
  return protocol !== undefined && /(?:^|,)[ \t]*websocket[ \t]*(?:,|$)/i.test(protocol);
}

/** The field that offers to compress messages, and more (RFC 6455 §9.1). Whoever reads the frames takes none. */
export const extensionsField = 'sec-websocket-extensions';

/**
 * What a client of a WebSocket connection sends, searched for phantoms. Where its credential goes into messages, a phantom
 * of it gives way to the secret there.
 */
export function searchedFrames(
  finderNow: () => PhantomFinder,
  use: CredentialUse | undefined,
): ClientFrames<PlacedPhantom> {
  const isPlaced = use !== undefined && use.messages().places.length > 0;
  return new ClientFrames<PlacedPhantom>({
    search() {
      const search = new ContentSearch(finderNow());
      return (bytes, start, end) => {
        search.look(bytes, start, end);
        return search.found && { phantom: search.found, place: { kind: 'message' } };
      };
    },
    place: isPlaced ? (message) => placedMessage(message, finderNow(), use) : undefined,
  });
}

function placedMessage(bytes: Buffer, finder: PhantomFinder, use: CredentialUse): Placed<PlacedPhantom> {
  const found = finder.find(bytes, 0, bytes.length);
  if (found.length === 0) return { kind: 'unchanged' };
  const { places, fill } = use.messages();
  const isAllOf = (text: string, { phantom }: FoundPhantom): boolean =>
    phantom.isInRun && phantom.connection === use.connection && finder.exactly(text) === phantom;
  const standings = standingsIn({ bytes, kind: 'json', places, found, isAllOf });
  const values: Filled[] = [];
  for (const standing of standings) {
    if (standing.kind === 'in-place') {
      values.push(standing);
      continue;
    }
    const { why, found } = standing;
    return { kind: 'refused', why: { phantom: found.phantom, place: { kind: 'message', why } } };
  }
  return { kind: 'replaced', bytes: fill(bytes, values) };
}

/** The refusal of a message that ended its connection. */
export function refusalOfMessage(record: RequestRecord, stop: Stop<PlacedPhantom>): Refusal {
  return stop.kind === 'malformed'
    ? refuse('MalformedRequest', `the client's WebSocket messages cannot be read: ${stop.reason}`)
    : misplacementOf(record, stop.why);
}
