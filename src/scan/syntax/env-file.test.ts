import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPlainValue, replaceValues } from './assignment.ts';
import { parseEnvFile } from './env-file.ts';

const pairs = (text: string) => parseEnvFile(text).map(({ name, value }) => [name, value]);

describe('a .env file', () => {
  it.each([
    ['A=sk-12#3', 'sk-12#3'],
    ['A=sk-12 #3', 'sk-12'],
    ['A=sk-12\t# a comment', 'sk-12'],
    ['A=#sk', '#sk'],
    ['A= # nothing', ''],
    ['A=', ''],
    ['A = sk ', 'sk'],
    ['  export A=sk', 'sk'],
    ['export\tA=sk', 'sk'],
    ["A='sk #1' # one", 'sk #1'],
    ['A="sk #1"# one', 'sk #1'],
    ['A=`sk "1"`', 'sk "1"'],
    ['A="a\\"b\\\\c\\n\\$d"', 'a"b\\c\n$d'],
    ["A='a\\nb'", 'a\\nb'],
    ['A="one\ntwo" # both', 'one\ntwo'],
    ['A="never closed', '"never closed'],
    ["A='it's'", "'it's'"],
    ['A="x"y', '"x"y'],
    ['A=a=b==', 'a=b=='],
  ])('reads %j', (text, value) => {
    expect(pairs(text)).toEqual([['A', value]]);
  });

  it.each(['# A=1', '1A=x', 'A', 'not an assignment', 'export', '=x', '- A=1'])('passes over %j', (text) => {
    expect(parseEnvFile(text)).toEqual([]);
  });

  it('counts lines whatever ends them, after a byte order mark and over values of several lines', () => {
    const text = '\ufeffA=1\r\nB="x\r\ny"\rC=2\n\n# c\nA=3';
    expect(parseEnvFile(text).map(({ name, value, line }) => [name, value, line])).toEqual([
      ['A', '1', 1],
      ['B', 'x\r\ny', 2],
      ['C', '2', 4],
      ['A', '3', 7],
    ]);
  });

  it.each([
    ['A=$B', true],
    ['A="$' + '{B}"', true],
    ['A="$(pass x)"', true],
    ["A='$B'", false],
    ['A="\\$B"', false],
    ['A=cost$5', false],
  ])('knows whether %j is a reference', (text, refers) => {
    expect(parseEnvFile(text)[0]?.isReference).toBe(refers);
  });

  it('stays quick on what never closes', () => {
    expect(parseEnvFile('A="\\\n'.repeat(50_000)).length).toBeGreaterThan(0);
    expect(parseEnvFile(`A='x`.concat('\nB="y'.repeat(50_000))).length).toBeGreaterThan(0);
  });
});

type Quote = '' | '"' | "'" | '`';
interface Written {
  readonly name: string;
  readonly value: string;
  readonly text: string;
}

const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,9}$/);
const unquoted = fc.stringMatching(/^(?:[!-~äß✓](?:[ -~äß✓]{0,10}[!-~äß✓])?)?$/).filter(isUnquotable);
const written: fc.Arbitrary<Written> = fc
  .record({
    name,
    quote: fc.constantFrom<Quote>('', '"', "'", '`'),
    plain: unquoted,
    rich: fc.string({ unit: 'binary', maxLength: 12 }),
    prefix: fc.constantFrom('', 'export ', '  ', '\texport\t'),
    comment: fc.constantFrom('', ' # what for', '\t#', '  '),
  })
  .map(({ quote, plain, rich, prefix, comment, ...rest }) => {
    const value = quote === '' ? plain : valueFor(rich, quote);
    return { name: rest.name, value, text: `${prefix}${rest.name}=${rendered(value, quote)}${comment}` };
  });

function isUnquotable(value: string): boolean {
  return !/(?:^|\s)#/.test(value) && !/^["'`]/.test(value);
}

/** What this kind of quotes can contain. */
function valueFor(text: string, quote: Quote): string {
  return quote === '"' ? text : text.replaceAll(quote, '');
}

function rendered(value: string, quote: Quote): string {
  const inner =
    quote === '"'
      ? value
          .replace(/[\\"$`]/g, '\\$&')
          .replaceAll('\n', '\\n')
          .replaceAll('\r', '\\r')
      : value;
  return quote + inner + quote;
}

const file = fc
  .record({
    lines: fc.array(fc.oneof(written, fc.constantFrom('', '# a comment', 'no assignment')), { maxLength: 8 }),
    end: fc.constantFrom('\n', '\r\n'),
    mark: fc.constantFrom('', '\ufeff'),
  })
  .map(({ lines, end, mark }) => ({
    text: mark + lines.map((line) => (typeof line === 'string' ? line : line.text)).join(end),
    assignments: lines.filter((line) => typeof line !== 'string'),
  }));

describe('by property', () => {
  it('reads back whatever was written', () => {
    fc.assert(
      fc.property(file, ({ text, assignments }) => {
        expect(pairs(text)).toEqual(assignments.map(({ name, value }) => [name, value]));
      }),
    );
  });

  it('replaces values and nothing else', () => {
    const plain = fc.stringMatching(/^[A-Za-z0-9_.:@+=-]{1,20}$/);
    fc.assert(
      fc.property(file, fc.array(fc.option(plain), { maxLength: 8 }), ({ text }, values) => {
        const before = parseEnvFile(text);
        const replacements = before.flatMap((assignment, index) => {
          const value = values[index];
          return value === null || value === undefined ? [] : [{ assignment, value }];
        });
        const after = parseEnvFile(replaceValues(text, replacements));
        const expected = before.map((assignment) => {
          const replacement = replacements.find((each) => each.assignment === assignment);
          return [assignment.name, replacement?.value ?? assignment.value];
        });
        expect(after.map(({ name, value }) => [name, value])).toEqual(expected);
        // What stands between the values is the same text.
        const remove = (whole: string, found: ReturnType<typeof parseEnvFile>) =>
          replaceByEmpty(
            whole,
            found.map(({ start, end }) => [start, end] as const),
          );
        expect(remove(replaceValues(text, replacements), after)).toBe(remove(text, before));
      }),
    );
  });

  it('never fails, and every span is where it says', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'A=\'"`\\#$ \t\r\nx{('), maxLength: 60 }), (text) => {
        let last = 0;
        for (const { start, end, line } of parseEnvFile(text)) {
          expect(start).toBeGreaterThanOrEqual(last);
          expect(end).toBeGreaterThanOrEqual(start);
          expect(line).toBeLessThanOrEqual(text.split(/\r\n|\r|\n/).length);
          last = end;
        }
      }),
    );
  });
});

function replaceByEmpty(text: string, spans: readonly (readonly [number, number])[]): string {
  return spans.reduceRight((whole, [start, end]) => whole.slice(0, start) + whole.slice(end), text);
}

it('refuses to write a value that quotes would change', () => {
  const [assignment] = parseEnvFile('A=x');
  for (const value of ['a b', 'a#b', '$x', '"', '', 'a\nb']) {
    expect(isPlainValue(value)).toBe(false);
    expect(() => replaceValues('A=x', assignment === undefined ? [] : [{ assignment, value }])).toThrow(
      TypeError,
    );
  }
});
