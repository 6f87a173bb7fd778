import { describe, expect, it } from 'vitest';
import { jsonPointer, parseJson } from './json.ts';

describe('JSON', () => {
  it('is parsed, and what is none is undefined', () => {
    expect(parseJson('{"a":[1,null]}')).toEqual({ a: [1, null] });
    expect(parseJson('null')).toBeNull();
    for (const text of ['', '{', 'undefined', "{'a':1}"]) expect(parseJson(text)).toBeUndefined();
  });

  // RFC 6901 §5.
  it('has pointers that escape what they are made of', () => {
    expect(jsonPointer([])).toBe('');
    expect(jsonPointer(['foo', 0])).toBe('/foo/0');
    expect(jsonPointer(['a/b', 'm~n', '~1', ''])).toBe('/a~1b/m~0n/~01/');
  });
});
