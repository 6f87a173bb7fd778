import { expect, it } from 'vitest';
import { sentence } from './sentence.ts';

it('makes a sentence of an error message', () => {
  expect(sentence('the code has expired')).toBe('The code has expired.');
  expect(sentence('is that so?')).toBe('Is that so?');
});

it('leaves the name of a host in lower case', () => {
  expect(sentence('api.notion.com did not answer')).toBe('api.notion.com did not answer.');
  expect(sentence('e.g')).toBe('e.g.');
});
