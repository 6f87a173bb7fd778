import { compilePattern } from '../pattern.ts';
import { phantomOfPattern } from '../phantom/index.ts';
import type { HeaderField, Placement } from '../placement.ts';
import type { KeyShape } from '../provider.ts';
import { at, type Fields, PointedFault } from './fields.ts';
import { parseHeaderName, parseHeaderPrefix } from './placements.ts';

/** `key_pattern`, for the whole key. */
export function parseKeyPattern(fields: Fields): RegExp | undefined {
  const written = fields.text('key_pattern');
  if (written === undefined) return undefined;
  return at(fields.pointer('key_pattern'), () => compilePattern(anchored(written)));
}

/**
 * `api_key.alternatives`: kinds of key that go into another header than `usualHeader`. What a key is remains for
 * `keyPattern` to say, so that each of them must be one by that too.
 */
export function parseKeyShapes(
  alternatives: readonly Fields[],
  usualHeader: string | undefined,
  keyPattern: RegExp | undefined,
): readonly KeyShape[] {
  const parsed = alternatives.map((fields) => {
    const pattern = parseKeyPattern(fields) ?? fields.fault('key_pattern', 'must say which keys are meant');
    at(fields.pointer('key_pattern'), () => {
      const sample = phantomOfPattern(pattern.source, (size) => new Uint8Array(size));
      if (keyPattern?.test(sample) === false)
        fields.fault('key_pattern', 'must be a kind of key that api_key.key_pattern takes');
    });
    const name = parseHeaderName(fields, 'header_name') ?? 'Authorization';
    const prefix = parseHeaderPrefix(fields, 'header_prefix', name);
    return { pattern, name, prefix, beside: parseHeadersBeside(fields) };
  });
  const names = [...new Set([...(usualHeader === undefined ? [] : [usualHeader]), ...parsed.map(nameOf)])];
  return parsed.map(({ pattern, name, prefix, beside }) => {
    const instead = names.filter((other) => other !== name);
    const placement: Placement = { kind: 'header', name, prefix, instead, beside };
    return { pattern, placements: [placement] };
  });
}

function nameOf({ name }: { readonly name: string }): string {
  return name;
}

/**
 * Headers that a service wants beside such a key. Only those that choose a version or a preview of the API: others could
 * change what a request does after a rule has looked at it.
 */
function parseHeadersBeside(fields: Fields): readonly HeaderField[] {
  return Object.entries(fields.params('headers')).map(([name, value]) => {
    const pointer = `${fields.pointer('headers')}/${name}`;
    if (!/^[A-Za-z0-9-]{1,60}-(?:beta|version)$/i.test(name))
      throw new PointedFault(pointer, 'must be the name of a header that ends in -beta or -version');
    if (!/^[A-Za-z0-9._,-]{1,100}$/.test(value))
      throw new PointedFault(pointer, 'must consist of letters, digits, dots, commas, _ and -');
    return { name, value };
  });
}

/** A pattern without anchors is meant for the whole key: a key that merely contains a good one is not good. */
function anchored(source: string): string {
  return source.startsWith('^') || source.endsWith('$') ? source : `^(?:${source})$`;
}
