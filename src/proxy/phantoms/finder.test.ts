import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RunPhantom } from '../contract.ts';
import { PhantomFinder } from './finder.ts';

const phantom = (value: string, connection = 'example/default', isInRun = true): RunPhantom => ({
  value,
  connection,
  isInRun,
});

const github = phantom('ghp_Ab3phantom9ZqLw0', 'github/default');
const work = phantom('ghp_Cd4phantom8YrMx1', 'github/work');
const finder = new PhantomFinder([github, work]);

const find = (text: string) =>
  finder
    .find(Buffer.from(text), 0, Buffer.byteLength(text))
    .map(({ phantom, start, end }) => [phantom.connection, text.slice(start, end)]);

describe('finds a phantom', () => {
  it.each([
    ['as it is', `Bearer ${github.value}`, github.value],
    ['percent-encoded in one character', 'a=%67hp_Ab3phantom9ZqLw0&b', '%67hp_Ab3phantom9ZqLw0'],
    ['percent-encoded in the last', 'a=ghp_Ab3phantom9ZqLw%30&b', 'ghp_Ab3phantom9ZqLw%30'],
    ['percent-encoded twice', 'ghp%255FAb3phantom9ZqLw0', 'ghp%255FAb3phantom9ZqLw0'],
    ['escaped as in JSON', '"ghp\\u005fAb3phantom9ZqLw0"', 'ghp\\u005fAb3phantom9ZqLw0'],
    ['escaped, then percent-encoded', '%22ghp%5Cu005fAb3phantom9ZqLw0', 'ghp%5Cu005fAb3phantom9ZqLw0'],
  ])('%s, and where it is', (_, text, written) => {
    expect(find(text)).toEqual([['github/default', written]]);
  });

  it.each(['', 'x', 'xy', 'xyz', 'x-access-token:'])('in base64 behind %j', (before) => {
    for (const after of ['', ':', '\n', 'more']) {
      for (const form of ['base64', 'base64url'] as const) {
        const text = `Basic ${Buffer.from(`${before}${github.value}${after}`).toString(form)}`;
        expect(find(text).map(([connection]) => connection)).toEqual(['github/default']);
        expect(find(encodeURIComponent(text)).map(([connection]) => connection)).toEqual(['github/default']);
      }
    }
  });

  it('of each connection, in order', () => {
    expect(
      find(`${work.value},%67hp_Ab3phantom9ZqLw0,${work.value}`).map(([connection]) => connection),
    ).toEqual(['github/work', 'github/default', 'github/work']);
  });

  it.each(['utf-16le', 'utf-16be'])('in %s', (order) => {
    const bytes = Buffer.from(`{"token":"${work.value}"}`, 'utf16le');
    if (order === 'utf-16be') bytes.swap16();
    expect(finder.find(bytes, 0, bytes.length).map(({ phantom }) => phantom)).toEqual([work]);
    const cursor = finder.cursor();
    const fed = [...bytes.keys()].map((at) => cursor.feed(bytes, at, at + 1));
    expect(fed).toContain(work);
  });

  it('however many there are, plain and escaped', () => {
    const written = `${github.value}%67${github.value.slice(1)}`;
    const bytes = Buffer.from(written.repeat(10_000));
    const found = finder.find(bytes, 0, bytes.length);
    expect(found).toHaveLength(20_000);
    expect(found.slice(-2).map(({ start, end }) => bytes.toString('latin1', start, end))).toEqual([
      github.value,
      `%67${github.value.slice(1)}`,
    ]);
    // Each one is found once, in order: none overlaps the one before it.
    expect(found.every(({ start }, at) => at === 0 || start === found[at - 1]?.end)).toBe(true);
  });

  it('in a long text with few escapes or many, wherever it is', () => {
    const line = 'a line of text\\n100%25 "quoted\\" \\u00e9 '.repeat(30);
    const plain = 'a line without '.repeat(50);
    const foreign = '%C3%A9 '.repeat(100);
    for (const written of ['%67hp_Ab3phantom9ZqLw0', 'ghp\\u005fAb3phantom9ZqLw0'])
      for (const around of [line, plain, foreign, line + plain])
        for (const text of [written + around, around + written, around + written + around])
          expect(find(text)).toEqual([['github/default', written]]);
    expect(find(line + plain + foreign)).toEqual([]);
  });

  it('only within the range', () => {
    const bytes = Buffer.from(`..${github.value}..`);
    const { length } = github.value;
    expect(finder.find(bytes, 2, 2 + length)).toHaveLength(1);
    expect(finder.find(bytes, 3, bytes.length)).toHaveLength(0);
    expect(finder.find(bytes, 0, 1 + length)).toHaveLength(0);
    expect(finder.firstIn(bytes, 3, bytes.length)).toBeUndefined();
  });

  it('by its exact text', () => {
    expect(finder.exactly(github.value)).toBe(github);
    expect(finder.exactly(`${github.value} `)).toBeUndefined();
  });

  it('as that of a connection in the run, where two are spelled alike', () => {
    const alike = [phantom('one-and-the-same', 'a/b', false), phantom('one-and-the-same', 'a/c')];
    expect(new PhantomFinder(alike).exactly('one-and-the-same')?.connection).toBe('a/c');
  });
});

describe('finds nothing', () => {
  it.each([
    ['in ordinary text', 'GET /user?q=a%20b%2Fc HTTP/1.1\r\nCookie: a="\\u0041"; %%%\r\n'],
    ['in the beginning of one', 'ghp_Ab3phantom9ZqLw'],
    ['in one whose letters have the other case', github.value.toUpperCase()],
    ['in a broken escape', 'ghp%5gAb3phantom9ZqLw0 ghp\\u05fAb3phantom9ZqLw0 ghp%'],
  ])('%s', (_, text) => expect(find(text)).toEqual([]));

  it('without phantoms, or for one so short that it would be in ordinary text', () => {
    for (const none of [new PhantomFinder([]), new PhantomFinder([phantom('fake-1')])]) {
      expect(none.isEmpty).toBe(true);
      expect(none.find(Buffer.from('fake-1'), 0, 6)).toEqual([]);
      expect(none.cursor().feed(Buffer.from('fake-1'))).toBeUndefined();
    }
  });
});

/** Writes some characters of a text in this escape. */
const escapedBy = (write: (code: number) => string) => (text: string, which: readonly boolean[]) =>
  [...text].map((char, at) => (which[at % which.length] ? write(char.charCodeAt(0)) : char)).join('');
const hex = (code: number, digits: number): string => code.toString(16).padStart(digits, '0');
const percent = escapedBy((code) => `%${hex(code, 2)}`);
const json = escapedBy((code) => `\\u${hex(code, 4)}`);
const some = fc.array(fc.boolean(), { minLength: 1, maxLength: 30 });

/** A phantom in a spelling that somebody could write. */
const spelling = fc.oneof(
  fc.constant((text: string) => text),
  some.map((which) => (text: string) => percent(text, which)),
  some.map((which) => (text: string) => json(text, which)),
  fc.tuple(some, some).map(
    ([one, other]) =>
      (text: string) =>
        percent(percent(text, one), other),
  ),
  fc.tuple(some, some).map(
    ([one, other]) =>
      (text: string) =>
        percent(json(text, one), other),
  ),
  fc
    .tuple(
      fc.string({ unit: 'binary-ascii', maxLength: 5 }),
      fc.string({ unit: 'binary-ascii', maxLength: 5 }),
    )
    .map(
      ([before, after]) =>
        (text: string) =>
          Buffer.from(`${before}${text}${after}`).toString('base64'),
    ),
);
const phantomText = fc.stringMatching(/^[A-Za-z0-9_.:@+=-]{8,60}$/);
const surroundings = fc.stringMatching(/^[A-Za-z0-9 %"\\/&=;,.{}-]{0,40}$/);

describe('whatever the spelling', () => {
  it('finds a phantom among others, and says where', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(phantomText, { minLength: 1, maxLength: 200, size: 'medium' }),
        spelling,
        surroundings,
        surroundings,
        (texts, spell, before, after) => {
          fc.pre(!texts.some((each) => `${before}\n${after}`.includes(each)));
          const [text = ''] = texts;
          const written = spell(text);
          const all = new PhantomFinder(texts.map((value) => phantom(value, value)));
          const bytes = Buffer.from(`${before} ${written} ${after}`);
          const found = all.find(bytes, 0, bytes.length);
          expect(found.map((each) => each.phantom.value)).toContain(text);
          expect(all.firstIn(bytes, 0, bytes.length)).toBeDefined();
          for (const { start, end } of found) {
            expect(start).toBeGreaterThan(before.length);
            expect(end).toBeGreaterThan(start);
            expect(end).toBeLessThanOrEqual(before.length + 1 + written.length);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('finds it wherever the bytes are cut', () => {
    fc.assert(
      fc.property(
        phantomText,
        spelling,
        surroundings,
        fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 12 }),
        (text, spell, around, cuts) => {
          const bytes = Buffer.from(`${around} ${spell(text)} ${around}`);
          const cursor = new PhantomFinder([phantom(text)]).cursor();
          const ends = [...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
          let from = 0;
          let found: RunPhantom | undefined;
          for (const to of ends) {
            found ??= cursor.feed(bytes, from, to);
            from = to;
          }
          expect(found?.value).toBe(text);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('finds none where there is none', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const bytes = Buffer.from(text);
        expect(finder.find(bytes, 0, bytes.length)).toEqual([]);
      }),
    );
  });
});

it('a cursor finds a phantom only when its last byte has come', () => {
  const cursor = finder.cursor();
  const bytes = Buffer.from(`{"key":"${github.value}"}`);
  const end = bytes.indexOf(github.value) + github.value.length;
  for (let at = 0; at < end - 1; at += 1) expect(cursor.feed(bytes, at, at + 1)).toBeUndefined();
  expect(cursor.feed(bytes, end - 1, end)).toBe(github);
});
