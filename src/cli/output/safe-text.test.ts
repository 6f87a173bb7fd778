import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { styleFor } from '../style.ts';
import { safeJson, safeText } from './safe-text.ts';

const attack = '\u001b]0;title\u0007\u001b[2J\u001b[8m\u009b31m\rover\b\u202egnp.exe\u007f';

describe('text for a terminal', () => {
  it('shows what would steer the terminal, and does not do it', () => {
    expect(safeText(attack)).toBe(
      '\\u001b]0;title\\u0007\\u001b[2J\\u001b[8m\\u009b31m\\u000dover\\u0008\\u202egnp.exe\\u007f',
    );
  });

  it('does not change authsome’s own marks, links, lines, or any script', () => {
    const { bold, red, dim, cyan } = styleFor(true);
    const link = '\u001b]8;;https://a.example/x?y=1\u001b\\a link\u001b]8;;\u001b\\';
    const text = `${bold(red('Error:'))} ${dim('größer')} ${cyan(link)}\n\t日本語 می‌خواهم 👩‍💻`;
    expect(safeText(text)).toBe(text);
  });

  it('does not let a link hide a sequence of another kind', () => {
    expect(safeText('\u001b]8;;https://a\u001b[2J\u001b\\')).not.toContain('\u001b[2J');
  });
});

describe('documents', () => {
  it('say the same to a program, and nothing to a terminal', () => {
    expect(JSON.parse(safeJson({ [attack]: attack }))).toEqual({ [attack]: attack });
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const written = safeJson([text]);
        expect(JSON.parse(written)).toEqual([text]);
        expect(written).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
      }),
    );
  });
});
