import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hyperlink, joined, manualText, safe, safeJson, safeLines, text } from './safe-text.ts';
import { styleFor } from './style.ts';

const attack = '\u001b]0;title\u0007\u001b[2J\u001b[8m\u009b31m\rover\b\u202egnp.exe\u007f';
const shown = '\\u001b]0;title\\u0007\\u001b[2J\\u001b[8m\\u009b31m\\u000dover\\u0008\\u202egnp.exe\\u007f';

describe('data', () => {
  it('shows what would steer the terminal, and does not do it', () => {
    expect(safe(attack).written).toBe(shown);
  });

  it('cannot pass for marks, links or lines of authsome', () => {
    expect(safe('\u001b[31mError:\u001b[39m\nHint').written).toBe('\\u001b[31mError:\\u001b[39m\\u000aHint');
    expect(safe('\u001b]8;;https://a.example\u001b\\b\u001b]8;;\u001b\\').written).not.toContain('\u001b');
    expect(text`a ${'b\nc'}\n${styleFor(true).red(safe('\u001b[1md'))}`.written).toBe(
      'a b\\u000ac\n\u001b[31m\\u001b[1md\u001b[39m',
    );
    expect(joined(['a\nb', safe('c')], '\n').written).toBe('a\\u000ab\nc');
  });

  it('of any script stays as it is', () => {
    const words = 'größer 日本語 می‌خواهم 👩‍💻';
    expect(safe(words).written).toBe(words);
  });

  it('is no link where its address is more than plain ASCII', () => {
    const label = safe('a link');
    expect(hyperlink('https://a.example/x?y=1', label).written).toBe(
      '\u001b]8;;https://a.example/x?y=1\u001b\\a link\u001b]8;;\u001b\\',
    );
    for (const url of [`https://a${attack}`, 'https://a b', 'https://ä', ''])
      expect(hyperlink(url, label)).toBe(label);
  });

  it('for a program keeps its lines', () => {
    expect(safeLines('a\tb\nc\u001b[2J')).toBe('a\tb\nc\\u001b[2J');
  });
});

describe('the manual', () => {
  it('keeps its marks and lines, and nothing else', () => {
    const page = `${styleFor(true).bold(safe('Head')).written}\n`;
    expect(manualText(`${page}\u001b[2J`).written).toBe(`${page}\\u001b[2J`);
  });
});

it('is put together by output/ alone, and by the manual from its own pages', () => {
  const cli = resolve(import.meta.dirname, '..');
  const users = readdirSync(cli, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .filter((file) =>
      /\bfromSafePieces\b|\bmanualText\b|as SafeText\b/.test(readFileSync(join(cli, file), 'utf8')),
    )
    .map((file) => relative('.', file));
  expect(users.sort()).toEqual([
    'help/contents.ts',
    'help/page.ts',
    'output/safe-text.ts',
    'output/style.ts',
    'output/text-width.ts',
  ]);
});

describe('documents', () => {
  it('say the same to a program, and nothing to a terminal', () => {
    expect(JSON.parse(safeJson({ [attack]: attack }))).toEqual({ [attack]: attack });
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        const written = safeJson([value]);
        expect(JSON.parse(written)).toEqual([value]);
        expect(written).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
      }),
    );
  });
});
