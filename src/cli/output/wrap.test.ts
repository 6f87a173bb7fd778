import { expect, it } from 'vitest';
import { wrapText } from './wrap.ts';

it('breaks between words, and indents what follows like the line that was broken', () => {
  expect(wrapText('Error: one two\n  three four five', 11)).toBe('Error: one\ntwo\n  three\n  four five');
});

it('keeps a value in its column beside its label', () => {
  expect(wrapText('  sets  A\n  reads variables  B, sent to c', 26)).toBe(
    '  sets  A\n  reads variables  B, sent\n                   to c',
  );
});

it('leaves alone what fits, spaces included, and a word that cannot be broken', () => {
  expect(wrapText('a   b\n\n  c', 5)).toBe('a   b\n\n  c');
  expect(wrapText('see https://long.test/path now', 10)).toBe('see\nhttps://long.test/path\nnow');
});

it('counts neither colors nor links, and wide characters twice', () => {
  expect(wrapText('\u001b[31mab\u001b[39m cd', 5)).toBe('\u001b[31mab\u001b[39m cd');
  const link = '\u001b]8;;https://a.test\u001b\\ab\u001b]8;;\u001b\\';
  expect(wrapText(`${link} cd`, 5)).toBe(`${link} cd`);
  expect(wrapText('日本 日本', 8)).toBe('日本\n日本');
});

it('keeps a command whole that a person is told to run, so that it can be copied', () => {
  const command = 'authsome login github --connection work --force';
  expect(wrapText(`  Sign in again with: ${command}`, 24)).toBe(`  Sign in again with:\n  ${command}`);
  expect(wrapText('authsome: the daemon ended', 12)).toBe('authsome:\nthe daemon\nended');
});
