/** How a request path reads. */
export interface PathReading {
  /**
   * Percent-encoded unreserved characters decoded, other escapes in upper case (RFC 3986 §6.2.2): what routing, policy
   * and audit use.
   */
  readonly canonical: string;
  /** The path as a server reads it that decodes separators too and drops empty segments. Equal to `canonical` when plain. */
  readonly resolved: string;
  /**
   * `plain`: every server reads it alike. `ambiguous`: an encoded or doubled separator, legitimate in places (a GitLab
   * project id contains `%2F`), so it passes where both readings lead to one route. `traversal`: a dot segment under some
   * decoding, a control character, an overlong sequence, or `%` without two digits; servers cut off, drop or keep what
   * follows. No client has a reason to send one, and a routed host never gets it.
   */
  readonly shape: 'plain' | 'ambiguous' | 'traversal';
}

const decodings = 3;

/** How a raw path reads, without its query; `undefined` for what is not a path, which RFC 9112 §3.2 would refuse. */
export function readPath(rawPath: string): PathReading | undefined {
  if (rawPath.charCodeAt(0) !== 0x2f) return undefined;
  let end = rawPath.length;
  let simple = true;
  let previous = 0;
  for (let index = 0; index < rawPath.length; index += 1) {
    const code = rawPath.charCodeAt(index);
    if (code === 0x3f) {
      end = index;
      break;
    }
    if (code <= 0x20 || code >= 0x7f || code === 0x23) return undefined;
    if (code === 0x25 || code === 0x5c) simple = false;
    else if (previous === 0x2f && (code === 0x2f || code === 0x2e)) simple = false;
    previous = code;
  }
  const path = end === rawPath.length ? rawPath : rawPath.slice(0, end);
  return simple ? { canonical: path, resolved: path, shape: 'plain' } : readUnusual(path);
}

function readUnusual(path: string): PathReading {
  const canonical = path.replace(/%[0-9a-fA-F]{2}/g, (triplet) => {
    const char = String.fromCharCode(Number.parseInt(triplet.slice(1), 16));
    return /[A-Za-z0-9._~-]/.test(char) ? char : triplet.toUpperCase();
  });
  const decoded = brokenEscape.test(path) ? undefined : decodeFully(path);
  if (decoded === undefined) return { canonical, resolved: canonical, shape: 'traversal' };
  const parts = decoded.replaceAll('\\', '/').split('/');
  if (parts.some(isDotSegment)) return { canonical, resolved: canonical, shape: 'traversal' };
  const last = parts.length - 1;
  const kept = parts.filter((part, index) => part !== '' || index === 0 || index === last);
  const asWritten = parts.length === canonical.split('/').length && !canonical.includes('\\');
  const plain = asWritten && kept.length === parts.length;
  return plain
    ? { canonical, resolved: canonical, shape: 'plain' }
    : { canonical, resolved: kept.length === 1 ? '/' : kept.join('/'), shape: 'ambiguous' };
}

/** Only as written: `100%25` is decoded to a percent sign that is meant. */
const brokenEscape = /%(?![0-9a-fA-F]{2})/;
const forbiddenDecoded = /[\0-\x1f\x7f\u00c0\u00c1]/;

/**
 * The bytes, one character each, decoded until nothing changes; `undefined` for control characters, overlong UTF-8 or
 * too many rounds.
 */
function decodeFully(path: string): string | undefined {
  let text = path;
  for (let round = 0; round <= decodings; round += 1) {
    const next = text.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
    if (forbiddenDecoded.test(next)) return undefined;
    if (next === text) return text;
    text = next;
  }
  return undefined;
}

/** Also `..;a`: some servers cut a segment's parameters off before they resolve dots. */
function isDotSegment(segment: string): boolean {
  const name = segment.split(';', 1)[0];
  return name === '.' || name === '..';
}
