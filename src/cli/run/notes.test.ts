import { describe, expect, it } from 'vitest';
import { endNote, startLine } from './notes.ts';

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

describe('the line at the start', () => {
  const run = { connections: ['github/default', 'openai/work'] };
  const given = {
    phantoms: { OPENAI_API_KEY: 'sk-phantom', GH_TOKEN: 'ghp_phantom' },
    secret_variables: ['GITHUB_CLIENT_SECRET'],
  };

  it('says which connections there are, and which variables were replaced or left out', () => {
    const parent = { OPENAI_API_KEY: 'sk-real', GITHUB_CLIENT_SECRET: 'real', EDITOR: 'vi' };
    expect(startLine(parent, run, given)).toBe(
      'authsome: this run has: github/default, openai/work. Phantoms replace: OPENAI_API_KEY. Not passed on: GITHUB_CLIENT_SECRET. --inherit-secrets keeps them.',
    );
    expect(startLine({ EDITOR: 'vi', OPENAI_API_KEY: '' }, run, given)).toBe(
      'authsome: this run has: github/default, openai/work.',
    );
    expect(startLine({}, { connections: [] }, given)).toBe('authsome: this run has: no connections.');
  });

  it('says which connections are used by their phantoms, and where these are', () => {
    const further = [
      { connection: 'github/bot', variables: ['GH_BOT_TOKEN'] },
      { connection: 'github/old', variables: [] },
    ];
    const connections = ['github/default', 'github/bot', 'github/old'];
    expect(startLine({}, { connections, further }, given)).toBe(
      'authsome: this run has: github/default, github/bot (in GH_BOT_TOKEN), github/old (by its phantom alone).',
    );
  });

  it('says nothing about phantoms that an outer run had set', () => {
    const parent = { OPENAI_API_KEY: 'sk-outer', AUTHSOME_RUN: 'run_0' };
    expect(startLine(parent, { ...run, outer_run: 'run_0' }, given)).toBe(
      'authsome: this run is inside of run_0. It has: github/default, openai/work.',
    );
  });
});
