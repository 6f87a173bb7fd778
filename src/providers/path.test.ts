import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readPath } from './path.ts';

describe('path reading', () => {
  it.each([
    ['/', '/'],
    ['/repos/acme/site', '/repos/acme/site'],
    ['/repos/acme/site?page=2&x=/../', '/repos/acme/site'],
    ['/%61pi/%7Euser', '/api/~user'],
    ['/a%3ab', '/a%3Ab'],
    ['/.well-known/x', '/.well-known/x'],
    ['/a/...', '/a/...'],
    ['/a.b/c..d', '/a.b/c..d'],
    ['/a/', '/a/'],
    ['/q/100%25', '/q/100%25'],
    ['/users/@me;v=1', '/users/@me;v=1'],
    ['/caf%C3%A9', '/caf%C3%A9'],
  ])('%s is plain', (raw, canonical) => {
    expect(readPath(raw)).toEqual({ canonical, resolved: canonical, shape: 'plain' });
  });

  it.each([
    ['/projects/acme%2fsite/issues', '/projects/acme%2Fsite/issues', '/projects/acme/site/issues'],
    ['/a//b', '/a//b', '/a/b'],
    ['//a', '//a', '/a'],
    ['/a\\b', '/a\\b', '/a/b'],
    ['/a%5Cb', '/a%5Cb', '/a/b'],
    ['/a%252Fb', '/a%252Fb', '/a/b'],
    ['/a%2F//b', '/a%2F//b', '/a/b'],
    ['//', '//', '/'],
  ])('%s is ambiguous', (raw, canonical, resolved) => {
    expect(readPath(raw)).toEqual({ canonical, resolved, shape: 'ambiguous' });
  });

  it.each([
    '/a/../b',
    '/a/..',
    '/./a',
    '/a/%2e%2e/b',
    '/a/%2E./b',
    '/a/.%2e/b',
    '/a/%252e%252e/b',
    '/a/%25252e%25252e/b',
    '/a%2f..%2fb',
    '/a\\..\\b',
    '/a%5c..%5cb',
    '/a/..;x=1/b',
    '/a/..%3bx/b',
    '/a/%00',
    '/a/%09',
    '/a%0d%0ab',
    '/a/%1F',
    '/a/%7f',
    '/a/%250a',
    '/a/%zz',
    '/a/%4',
    '/a/%',
    '/100%/b',
    '/a/%c0%ae%c0%ae/b',
    '/a/%c0%af/b',
    '/%25252525252e',
  ])('%s is a traversal', (raw) => expect(readPath(raw)?.shape).toBe('traversal'));

  it.each([
    '',
    'a',
    '*',
    'https://a.example/',
    '/a b',
    '/a\tb',
    '/a\r\nb',
    '/a\0',
    '/a#b',
    '/caf\u00e9',
    '?a',
  ])('%j is no path', (raw) => expect(readPath(raw)).toBeUndefined());

  const piece = fc.constantFrom(
    'a',
    'b',
    '/',
    '.',
    '..',
    '%2e',
    '%2E',
    '%2f',
    '%5c',
    '\\',
    '%25',
    '2e',
    ';',
    '%61',
    '?',
  );

  it('never calls a path plain that some decoding moves elsewhere', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const raw = `/${pieces.join('')}`;
        const reading = readPath(raw);
        if (reading?.shape !== 'plain') return;
        const path = raw.split('?')[0] ?? '';
        // As WHATWG URL parsers read it, before and after a decoding of their own.
        for (const reading of [
          path,
          decodeURIComponentSafely(path),
          decodeURIComponentSafely(decodeURIComponentSafely(path)),
        ]) {
          const normalized = new URL(
            `https://a.example${reading.replaceAll('?', '%3F').replaceAll('#', '%23')}`,
          ).pathname;
          expect(normalized.split('/').length).toBe(path.split('/').length);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('is stable: the canonical form reads as itself', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const reading = readPath(`/${pieces.join('')}`);
        if (reading?.shape === 'plain') expect(readPath(reading.canonical)?.shape).toBe('plain');
      }),
    );
  });
});

function decodeURIComponentSafely(text: string): string {
  return text.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
