import { expect, test } from 'vitest';
import { closest } from './suggestion.ts';

test('finds the word that was meant, swaps included', () => {
  expect(closest('gihtub', ['gitlab', 'github'])).toBe('github');
  expect(closest('lits', ['login', 'list'])).toBe('list');
});

test('says nothing when no word is near', () => {
  expect(closest('kubernetes', ['login', 'list'])).toBeUndefined();
  expect(closest('ls', ['run', 'get'])).toBeUndefined();
});
