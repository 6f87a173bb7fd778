import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ContentPlace, contentKind, fill, locate, standingsIn } from './index.ts';

const phantom = 'ghp_Phantom0123456789';
const secret = 'gh"s\\é\n&=+/ secret';

const asJson = (text: string, place: ContentPlace = { kind: 'pointer', pointer: '/token' }) =>
  attempt(text, 'json', place);
const asForm = (text: string, place: ContentPlace = { kind: 'field', field: 'token' }) =>
  attempt(text, 'form', place);

/** The content with the secret in the place of the phantom, or why the phantom must not stand where it does. */
function attempt(text: string, kind: 'json' | 'form' | 'other', place: ContentPlace): string {
  const bytes = Buffer.from(text);
  const spelling = /ghp_Phantom0123456789|(?:\\u0067|%67)[^"&]*/g;
  const found = [...text.matchAll(spelling)].map(({ index, 0: written }) => {
    const start = Buffer.byteLength(text.slice(0, index));
    return { start, end: start + written.length };
  });
  const isAllOf = (value: string): boolean => value === phantom;
  const standings = standingsIn({ bytes, kind, places: [place], found, isAllOf });
  const elsewhere = standings.find((standing) => standing.kind === 'elsewhere');
  if (elsewhere?.kind === 'elsewhere') return `refused: ${elsewhere.why}`;
  const values = standings.flatMap((standing) => (standing.kind === 'in-place' ? [standing] : []));
  return values.length === 0 ? 'unchanged' : fill(bytes, values, secret).toString();
}

describe('a phantom in JSON', () => {
  it('gives way to the secret, and every other byte stays', () => {
    const [before, after] = ['{ "a":1.0e2,\t"é":[" "],"token" : "', '" ,"z":null}\r\n'];
    const out = asJson(`${before}${phantom}${after}`);
    expect(out.startsWith(before)).toBe(true);
    expect(out.endsWith(after)).toBe(true);
    expect(JSON.parse(out).token).toBe(secret);
  });

  it('is written in ASCII, whatever charset the body is in', () => {
    expect(asJson(`{"token":"${phantom}"}`)).toMatch(/^[\x20-\x7e]*$/);
  });

  it.each([
    ['/a/1/b~1c~0d', `{"a":[0,{"b/c~d":"${phantom}"}]}`],
    ['', `"${phantom}"`],
    ['/', `{"":"${phantom}"}`],
    ['/0', `["${phantom}"]`],
    ['/0', `{"0":"${phantom}"}`],
    ['/tok\u00e9n', `{"tok\\u00e9n":"${phantom}"}`],
  ])('is found at %s', (pointer, text) => {
    expect(asJson(text, { kind: 'pointer', pointer })).toContain('\\u00e9');
  });

  it('is recognized in whatever escapes it is written', () => {
    expect(JSON.parse(asJson(`{"token":"\\u0067hp_${phantom.slice(4)}"}`)).token).toBe(secret);
  });

  it.each([
    ['not in the place', `{"other":"${phantom}"}`],
    ['not in the place', `{"token":["${phantom}"]}`],
    ['not in the place', `{"token":7,"x":"${phantom}"}`],
    ['not in the place', `["${phantom}"]`],
    ['not in the place', `{"token":"mine","x":"${phantom}"}`],
    ['not in the place', `{"token":"${phantom}","x":"${phantom}"}`],
    ['not in the place', `{"token":"${phantom}","${phantom}":1}`],
    ['not the phantom alone', `{"token":"Bearer ${phantom}"}`],
    ['given twice', `{"token":"${phantom}","token":"x"}`],
    ['given twice', `{"token":"x","\\u0074oken":"${phantom}"}`],
    ['not valid JSON', `{"token":"${phantom}"`],
    ['not valid JSON', `{"token":"${phantom}"} x`],
    ['not valid JSON', `\ufeff{"token":"${phantom}"}`],
    ['not valid JSON', `{"token":"${phantom}",}`],
    ['not valid JSON', `{'token':"${phantom}"}`],
    ['not valid JSON', `{"x":01,"token":"${phantom}"}`],
    ['not valid JSON', `token=${phantom}`],
    ['nested deeper', `${'['.repeat(5000)}"${phantom}"`],
  ])('is refused with %s: %.60s', (reason, text) => {
    const out = asJson(text);
    expect(out).toContain('refused: ');
    expect(out).toContain(reason);
    expect(out).not.toContain('ghp_');
    expect(out).not.toContain(secret);
  });

  it.each(['{"token":"x"}', '{"token":"x","token":"y"}', '{"to', '', '['.repeat(1 << 20)])(
    'is needed for any change: %.30s',
    (text) => {
      expect(asJson(text)).toBe('unchanged');
    },
  );

  it('a member given twice elsewhere does no harm', () => {
    expect(asJson(`{"x":1,"x":2,"token":"${phantom}"}`)).toContain('"x":1,"x":2');
  });

  it('is read as `JSON.parse` reads it, for any value', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), fc.string(), fc.boolean(), (text, spoiled, isSpoiled) => {
        const input = isSpoiled
          ? text.slice(0, text.length / 2) + spoiled + text.slice(text.length / 2)
          : text;
        let isValid = true;
        try {
          JSON.parse(input);
        } catch {
          isValid = false;
        }
        const { kind } = locate(Buffer.from(input), 'json', { kind: 'pointer', pointer: '/no such member' });
        expect(kind).toBe(isValid ? 'absent' : 'unreadable');
      }),
      { numRuns: 2_000 },
    );
  });

  it('changes one value and no other, in any document', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat(2), (others, indent) => {
        const document = { ...others, token: phantom };
        const out = asJson(JSON.stringify(document, undefined, indent));
        expect(JSON.parse(out)).toEqual(JSON.parse(JSON.stringify({ ...document, token: secret })));
      }),
    );
  });
});

describe('a phantom in a form', () => {
  it('gives way to the secret, and every other byte stays', () => {
    const out = asForm(`a=%7e+%zz&&token=${phantom}&b`);
    expect(out.startsWith('a=%7e+%zz&&token=')).toBe(true);
    expect(out.endsWith('&b')).toBe(true);
    expect(new URLSearchParams(out).get('token')).toBe(secret);
  });

  it('is recognized in whatever escapes it is written', () => {
    const escaped = [...phantom].map((char) => `%${char.charCodeAt(0).toString(16)}`).join('');
    expect(new URLSearchParams(asForm(`to%6Ben=${escaped}`)).get('token')).toBe(secret);
  });

  it.each([
    ['not in the place', `other=${phantom}`],
    ['not in the place', `{"token":"${phantom}"}`],
    ['not in the place', `token=x&other=${phantom}`],
    ['not in the place', `token=${phantom}&${phantom}`],
    ['not the phantom alone', `token=Bearer+${phantom}`],
    ['given twice', `token=${phantom}&token=${phantom}`],
    ['given twice', `token=${phantom}&t%6fken`],
  ])('is refused with %s: %s', (reason, text) => {
    const out = asForm(text);
    expect(out).toContain('refused: ');
    expect(out).toContain(reason);
    expect(out).not.toContain('ghp_');
  });

  it.each(['', '&', 'token', 'token=', 'token=x&token=y', '&'.repeat(1 << 20), 'token=%'])(
    'is needed for any change: %.30s',
    (text) => {
      expect(asForm(text)).toBe('unchanged');
    },
  );

  it('changes one field and no other, in any form', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }))),
        (pairs) => {
          const others = pairs.filter(([name]) => name !== 'token');
          const out = asForm(new URLSearchParams([...others, ['token', phantom]]).toString());
          const expected = new URLSearchParams([...others, ['token', secret]]);
          expect([...new URLSearchParams(out)]).toEqual([...expected]);
        },
      ),
    );
  });
});

describe('a phantom that is a whole text', () => {
  it('gives way to the secret as it is, and is refused with anything beside it', () => {
    expect(attempt(phantom, 'other', { kind: 'text' })).toBe(secret);
    expect(attempt(`${phantom}\n`, 'other', { kind: 'text' })).toContain('not the phantom alone');
  });
});

describe('content of another kind', () => {
  it('is left alone, and refused with a phantom in it', () => {
    expect(attempt('x', 'other', { kind: 'pointer', pointer: '/token' })).toBe('unchanged');
    expect(attempt(phantom, 'other', { kind: 'pointer', pointer: '/token' })).toContain(
      'not declared to be JSON',
    );
    expect(attempt(`token=${phantom}`, 'form', { kind: 'pointer', pointer: '/token' })).toContain(
      'not declared to be JSON',
    );
    expect(attempt(`{"token":"${phantom}"}`, 'json', { kind: 'field', field: 'token' })).toContain(
      'not declared to be a form',
    );
  });

  it.each([
    ['application/json', 'json'],
    ['Application/JSON ; charset=utf-8', 'json'],
    ['application/vnd.api+json', 'json'],
    ['text/json', 'json'],
    ['application/x-www-form-urlencoded;charset=UTF-8', 'form'],
    ['application/x-www-form-urlencoded, application/json', 'other'],
    ['application/jsonl', 'other'],
    ['application/json-seq', 'other'],
    ['multipart/form-data; boundary=x', 'other'],
    ['text/plain', 'other'],
    [undefined, 'other'],
  ])('%s is %s', (type, kind) => {
    expect(contentKind(type)).toBe(kind);
  });
});
