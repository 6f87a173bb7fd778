import { expect, it } from 'vitest';
import { closest } from './suggestion.ts';

it('finds the word that was meant, swaps included', () => {
  expect(closest('gihtub', ['gitlab', 'github'])).toBe('github');
  expect(closest('lits', ['login', 'list'])).toBe('list');
});

it('says nothing when no word is near', () => {
  expect(closest('kubernetes', ['login', 'list'])).toBeUndefined();
  expect(closest('ls', ['run', 'get'])).toBeUndefined();
});
