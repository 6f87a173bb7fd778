import { describe, expect, it } from 'vitest';
import type { KeyPattern } from './key-pattern.ts';
import { matchesInEnvironment, matchesInFile } from './match.ts';
import { readerOf } from './readers/index.ts';

const random = 'aB3dE6gH9jK2mN5pQ8sT1vW4xY7zA0cD3fG6iJ9l';
const provider = (name: string, more: Partial<KeyPattern> = {}): KeyPattern => ({
  provider: name,
  displayName: name,
  variables: [`${name.toUpperCase()}_TOKEN`],
  pattern: undefined,
  hosts: [`https://api.${name}.example/v1`],
  takesKey: true,
  ...more,
});
const alpha = provider('alpha', { pattern: /^alpha-[A-Za-z0-9]{20,}$/ });
const beta = provider('beta', { hosts: ['*.beta.example'] });
const patterns = [alpha, beta];

function inFile(file: string, text: string, others: readonly KeyPattern[] = patterns) {
  const reader = readerOf(file);
  const { matches, unclaimed } = matchesInFile({ file, reader }, reader.read(text) ?? [], others);
  return {
    found: matches.map((match) => [match.provider.provider, match.variable]),
    unclaimed: unclaimed.map(({ variable, place }) => [variable, place?.line]),
  };
}

describe('a secret whose file says which host gets it', () => {
  it('is of the provider with that host, and of no other, whatever it looks like', () => {
    const text = [
      `machine api.alpha.example password alpha-${random}`,
      `machine eu.beta.example password ${random}`,
      `machine beta.example.evil.example password ${random}`,
      `machine elsewhere.example password alpha-${random}`,
      `machine api.alpha.example password ${random}`,
    ].join('\n');
    expect(inFile('.netrc', text)).toEqual({
      found: [
        ['alpha', 'password'],
        ['beta', 'password'],
      ],
      unclaimed: [
        ['password', 3],
        ['password', 4],
        ['password', 5],
      ],
    });
  });

  it('is not taken by a definition of a stranger from a bundled one', () => {
    const stranger = provider('stranger', { hosts: ['api.alpha.example'], strangersHosts: ['evil.example'] });
    const text = `machine api.alpha.example password alpha-${random}`;
    expect(inFile('.netrc', text, [stranger, alpha]).found).toEqual([['alpha', 'password']]);
  });
});

describe('what looks like a secret and has no provider', () => {
  it('is named by its variable and line, and never has its value', () => {
    const text = [
      `ALPHA_TOKEN=alpha-${random}`,
      `SOME_API_KEY=${random}`,
      'DB_PASSWORD=hunter22',
      `DATABASE_URL=postgres://me:${random}@db.example/x`,
    ].join('\n');
    expect(inFile('.env', text)).toEqual({
      found: [['alpha', 'ALPHA_TOKEN']],
      unclaimed: [
        ['SOME_API_KEY', 2],
        ['DB_PASSWORD', 3],
        ['DATABASE_URL', 4],
      ],
    });
    const reader = readerOf('.env');
    const { unclaimed } = matchesInFile({ file: '.env', reader }, reader.read(text) ?? [], patterns);
    expect(JSON.stringify(unclaimed)).not.toMatch(/hunter22|aB3dE6/);
    expect(matchesInEnvironment({ SOME_API_KEY: random, HOME: '/home/me' }, patterns).unclaimed).toEqual([
      { variable: 'SOME_API_KEY', place: undefined },
    ]);
  });

  it.each([
    'SOME_API_KEY=changeme',
    'SOME_API_KEY=<token>',
    'SOME_API_KEY=your-key-here',
    'SOME_API_KEY=xxxxxxxxxxxxxxxxxxxx',
    'SOME_API_KEY=sk-...',
    'SOME_API_KEY=short1',
    'SOME_API_KEY=$OTHER',
    `PUBLIC_ID=${random}`,
    'TOKEN_PATH=/var/run/secrets/token',
    'AUTH_TOKEN=/var/run/secrets/token1234',
    'API_SECRET=https://vault.example/path',
    'DB_PASSWORD=password-goes-here',
    'DATABASE_URL=postgres://postgres:postgres1@localhost:5432/x',
    'DATABASE_URL=postgres://me:your-password@db.example/x',
    'DATABASE_URL=postgres://db.example/x',
  ])('is not %s', (text) => {
    expect(inFile('.env', text)).toEqual({ found: [], unclaimed: [] });
  });

  it('is the token of an agent, even where a provider would take it', () => {
    const file = '/h/.claude/.credentials.json';
    expect(inFile(file, `{"claudeAiOauth":{"accessToken":"alpha-${random}"}}`)).toEqual({
      found: [],
      unclaimed: [['accessToken', 1]],
    });
    // Where the agent has a definition, it is the agent's.
    const agent = provider('claude-code');
    const text = `{"claudeAiOauth":{"accessToken":"alpha-${random}"}}`;
    expect(inFile(file, text, [alpha, agent])).toEqual({
      found: [['claude-code', 'accessToken']],
      unclaimed: [],
    });
  });
});
