import { expect, it } from 'vitest';
import { createGivenPhantoms } from './given-phantoms.ts';

it('knows the phantoms that were given, and no other value', () => {
  const given = createGivenPhantoms();
  given.add('0123abcd');
  expect([given.has('0123abcd'), given.has('0123abce'), given.has('')]).toEqual([true, false, false]);
});

it('remembers the latest ten thousand', () => {
  const given = createGivenPhantoms();
  for (let count = 0; count <= 10_000; count += 1) given.add(`value-${count}`);
  expect([given.has('value-0'), given.has('value-1'), given.has('value-10000')]).toEqual([false, true, true]);
});
