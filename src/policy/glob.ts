/** Whether a canonical path matches. */
export type PathMatcher = (path: string) => boolean;

const slash = 0x2f;
/** Tokens beside character codes, which are never negative. */
const star = -1;
const globstar = -2;

/**
 * A matcher for a glob over canonical paths: `*` is any run of characters within a segment, `**` any run at all,
 * everything else itself. Takes time in proportion to path × glob whatever they contain, since the agent
 * chooses the path.
 */
export function compileGlob(glob: string): PathMatcher {
  if (!glob.includes('*')) return (path) => path === glob;
  if (glob.indexOf('*') === glob.length - 2 && glob.endsWith('**')) {
    const prefix = glob.slice(0, -2);
    return (path) => path.startsWith(prefix);
  }
  return automaton(tokensOf(glob));
}

function tokensOf(glob: string): readonly number[] {
  const tokens: number[] = [];
  for (let index = 0; index < glob.length; index += 1) {
    if (glob[index] !== '*') {
      tokens.push(glob.charCodeAt(index));
    } else if (glob[index + 1] === '*') {
      tokens.push(globstar);
      index += 1;
    } else {
      tokens.push(star);
    }
  }
  return tokens;
}

/** Steps through the path one character at a time, with all positions in the glob reached so far. */
function automaton(tokens: readonly number[]): PathMatcher {
  const end = tokens.length;
  return (path) => {
    let reached = new Uint8Array(end + 1);
    let next = new Uint8Array(end + 1);
    reached[0] = 1;
    skipStars(reached, tokens);
    for (let index = 0; index < path.length; index += 1) {
      const code = path.charCodeAt(index);
      next.fill(0);
      for (let position = 0; position < end; position += 1) {
        if (reached[position] === 0) continue;
        const token = tokens[position];
        if (token === globstar || (token === star && code !== slash)) next[position] = 1;
        else if (token === code) next[position + 1] = 1;
      }
      skipStars(next, tokens);
      [reached, next] = [next, reached];
    }
    return reached[end] === 1;
  };
}

/** A star may match nothing, so reaching one also reaches what follows it. */
function skipStars(reached: Uint8Array, tokens: readonly number[]): void {
  for (let position = 0; position < tokens.length; position += 1) {
    if (reached[position] === 1 && (tokens[position] ?? 0) < 0) reached[position + 1] = 1;
  }
}
