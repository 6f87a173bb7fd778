import { readPath } from '../../providers/index.ts';

/** What RFC 3986 §3.3 lets stand in a segment, without `;`: to some servers it ends the segment's name. */
const literal = /%(?:3A|40|24|26|2B|2C|3D)/g;

/**
 * The secret as a part of a path segment, after `before` and ahead of `after`; `undefined` for one that a server could read
 * as another path: a dot segment under some decoding, or a control character.
 */
export function encodeInSegment(secret: string, before = '', after = ''): string | undefined {
  if (/\p{Surrogate}/u.test(secret)) return undefined;
  const encoded = encodeURIComponent(secret).replace(literal, decodeURIComponent);
  const reading = readPath(`/${before}${encoded}${after}`);
  return reading === undefined || reading.shape === 'traversal' ? undefined : encoded;
}
