import { expect, it } from 'vitest';
import { endNote } from './notes.ts';

it('tells at the end what was done before what was refused, each once, and no more than a person reads', () => {
  expect(endNote([])).toBeUndefined();
  expect(endNote(['refused: a', 'pixel exported', 'refused: a'])).toBe(
    'authsome: during this run: pixel exported; refused: a (2 times). See: authsome log',
  );
  const flood = Array.from({ length: 5_000 }, (_, index) => `refused: ${index} ${'x'.repeat(2_000)}`);
  const note = endNote([...flood, 'pixel exported']) ?? '';
  expect(note.length).toBeLessThan(1_500);
  expect(note).toMatch(/^authsome: during this run: pixel exported; refused: 0 x+…; /);
  expect(note).toMatch(/; and 4991 more\. See: authsome log$/);
});
