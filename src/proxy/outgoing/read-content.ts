import { codingsOf, decodedAtOnce } from '../coding/index.ts';
import { type ContentPlace, contentKind, type Filled, type Standing, standingsIn } from '../content/index.ts';
import type { FoundPhantom, PhantomFinder, PlacedPhantom } from '../phantoms/index.ts';

/** The content of one request, collected, with the fields that say how to read it. */
export interface CollectedContent {
  readonly bytes: Buffer;
  /** Otherwise there is more, and `bytes` are only the beginning. */
  readonly isWhole: boolean;
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
}

/** The phantoms in it. */
export interface ReadContent {
  readonly phantoms: readonly PlacedPhantom[];
  /** The values that are phantoms, in a place that some route declares. */
  readonly values: readonly Filled[];
}

const nothing: ReadContent = { phantoms: [], values: [] };

/** Reads the content once for all the places in which a phantom may stand. */
export function readContent(
  content: CollectedContent,
  places: readonly ContentPlace[],
  finder: PhantomFinder,
): ReadContent {
  const decoded = decodedOf(content);
  const bytes = decoded ?? content.bytes;
  const found = finder.find(bytes, 0, bytes.length);
  if (found.length === 0) return nothing;
  const unreadable = whyUnreadable(content, decoded !== undefined);
  const standings: readonly Standing<FoundPhantom>[] =
    unreadable === undefined
      ? standingsIn({
          bytes,
          kind: contentKind(content.contentType),
          places,
          found,
          isAllOf: (text, { phantom }) => finder.exactly(text)?.connection === phantom.connection,
        })
      : found.map((each) => ({ kind: 'elsewhere', found: each, why: unreadable }));
  return {
    phantoms: standings.map(placedPhantom),
    values: standings.flatMap((standing) => (standing.kind === 'in-place' ? [standing] : [])),
  };
}

function placedPhantom(standing: Standing<FoundPhantom>): PlacedPhantom {
  const { phantom } = standing.found;
  return standing.kind === 'in-place'
    ? { phantom, place: { kind: 'body', at: standing.place } }
    : { phantom, place: { kind: 'body', why: standing.why } };
}

/** The content without its coding; `undefined` where it has none, or cannot be decoded: then it hides what it may. */
function decodedOf({ bytes, isWhole, contentEncoding }: CollectedContent): Buffer | undefined {
  const codings = codingsOf(contentEncoding);
  if (codings === undefined || codings.length === 0 || !isWhole) return undefined;
  return decodedAtOnce(codings, bytes);
}

function whyUnreadable(
  { isWhole, contentEncoding }: CollectedContent,
  isDecoded: boolean,
): string | undefined {
  if (!isWhole) return 'the content is longer than 1 MiB';
  const isCoded = isDecoded || codingsOf(contentEncoding)?.length !== 0;
  return isCoded ? 'the content is compressed (Content-Encoding)' : undefined;
}
