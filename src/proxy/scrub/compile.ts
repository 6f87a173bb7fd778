import type { Placement } from '../../providers/index.ts';
import { basicParts, encodeInSegment } from '../inject/index.ts';
import { base64Of, base64Within, Needles, type Pair } from '../needles/index.ts';
import { encodings } from './encodings.ts';
import { hasOneSpelling, spellingsOf } from './spellings.ts';

/** Shorter secrets would match ordinary text. */
const minSecretLength = 8;
const withoutPhantom = 'authsome-removed-this-secret';

export const noNeedles = new Needles([]);

/** What to look for in responses to requests that carried this secret; nothing for a very short one. */
export function compileNeedles(
  placements: readonly Placement[],
  secret: string,
  phantom: string = withoutPhantom,
): Needles {
  const found = new Map<string, string>();
  const look = (pairs: readonly Pair[]): void => {
    for (const [text, replacement] of pairs) {
      if (hasOneSpelling.test(text)) {
        if (!found.has(text)) found.set(text, replacement);
        continue;
      }
      const replacements = spellingsOf(replacement);
      for (const [index, spelling] of spellingsOf(text).entries()) {
        if (!found.has(spelling)) found.set(spelling, replacements[index] as string);
      }
    }
  };
  const secrets = secretsOf(placements, asWritten(secret), asWritten(phantom));
  look(secrets.alone);
  for (const [text, replacement] of secrets.credentials) {
    const tokens = base64Of(text, replacement);
    look(tokens);
    // A service that returns a whole field in base64 returns this.
    for (const [token, stand] of tokens) look(base64Within(token, stand));
  }
  for (const [text, replacement] of secrets.alone) {
    // Without padding, the whole looks like the beginning of something longer.
    if (Buffer.byteLength(text) % 3 !== 0) look(base64Of(text, replacement));
    look(base64Within(text, replacement));
    look(hexOf(text, replacement));
  }
  return new Needles(
    [...found].flatMap(([text, replacement]) =>
      encodings.map((encode) => ({ bytes: encode(text), replacement: encode(replacement) })),
    ),
  );
}

/** What a dump of bytes shows, in either case of letters. */
function hexOf(text: string, replacement: string): readonly Pair[] {
  const [secret, stand] = [text, replacement].map((each) => Buffer.from(each).toString('hex')) as [
    string,
    string,
  ];
  return [
    [secret, stand],
    [secret.toUpperCase(), stand.toUpperCase()],
  ];
}

/** Lone surrogates are sent as U+FFFD, and most encoders throw on them. */
function asWritten(text: string): string {
  return Buffer.from(text).toString();
}

interface Secrets {
  /** What is secret by itself: all of it, and the password of a pair. */
  readonly alone: readonly Pair[];
  /** `user:password`, of which `Basic` makes base64 (RFC 7617 §2). */
  readonly credentials: readonly Pair[];
}

function secretsOf(placements: readonly Placement[], secret: string, phantom: string): Secrets {
  const alone = new Map([[secret, phantom]]);
  const credentials: Pair[] = [];
  for (const placement of placements) {
    if (placement.kind === 'path') {
      // As it was sent, which is neither the secret itself nor any usual encoding of it.
      const segment = encodeInSegment(secret);
      if (segment !== undefined) alone.set(segment, encodeInSegment(phantom) ?? phantom);
    }
    if (placement.kind !== 'basic') continue;
    const [user, password = ''] = basicParts(placement, secret);
    const [standUser, standPassword = phantom] = basicParts(placement, phantom);
    if (placement.secretAs === 'pair') {
      // With no password, the name is the secret.
      if (password === '') alone.set(user, standUser);
      else alone.set(password, standPassword);
    }
    const isPair = placement.secretAs === 'pair' && !phantom.includes(':');
    credentials.push([`${user}:${password}`, `${isPair ? user : standUser}:${standPassword}`]);
  }
  const isLong = ([text]: Pair): boolean => text.length >= minSecretLength;
  const differ = ([text, replacement]: Pair): boolean => text !== replacement;
  return {
    alone: [...alone].filter((pair) => isLong(pair) && differ(pair)),
    credentials: secret.length < minSecretLength ? [] : credentials.filter(differ),
  };
}
