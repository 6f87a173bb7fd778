const mostDecodings = 3;

/**
 * A canonical path as services may read it, each in lower case: as it is; without its segments' parameters and the dots
 * and spaces at their ends, letters that were encoded twice decoded; and both without slashes at the end. Which of them
 * a service follows is unknown here.
 */
export function readingsOf(path: string): readonly string[] {
  const asWritten = path.toLowerCase();
  if (!/[;%]|\.(?:\/|$)|\/$/.test(asWritten)) return [asWritten];
  const bare = withoutTails(withoutParameters(decodedAgain(asWritten)));
  return [...new Set([asWritten, bare, withoutEndSlashes(asWritten), withoutEndSlashes(bare)])];
}

/** Some servers decode a path that was already decoded, which RFC 3986 §2.4 forbids, and find letters here. */
function decodedAgain(path: string): string {
  let text = path;
  for (let round = 0; round < mostDecodings && text.includes('%25'); round += 1) {
    text = text.replace(/%25([0-9a-f]{2})/g, (_, hex: string) => {
      const char = String.fromCharCode(Number.parseInt(hex, 16)).toLowerCase();
      return /[a-z0-9._~-]/.test(char) ? char : `%${hex}`;
    });
  }
  return text;
}

/** Java servers route by the part of a segment before `;` (RFC 3986 §3.3). */
function withoutParameters(path: string): string {
  return path.replace(/(?:;|%3b)[^/]*/g, '');
}

/** Windows opens `notes. ` as `notes`. */
function withoutTails(path: string): string {
  return path.split('/').map(withoutTail).join('/');
}

/** A loop, since a pattern would take quadratic time on a long row of dots. */
function withoutTail(segment: string): string {
  let end = segment.length;
  for (;;) {
    if (segment[end - 1] === '.') end -= 1;
    else if (segment.endsWith('%20', end)) end -= 3;
    else return segment.slice(0, end);
  }
}

function withoutEndSlashes(path: string): string {
  let end = path.length;
  while (end > 1 && path.charCodeAt(end - 1) === 0x2f) end -= 1;
  return path.slice(0, end);
}
