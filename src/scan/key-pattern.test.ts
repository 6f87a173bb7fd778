import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { asksOf, loadBundled, type Provider, parseProvider, phantomFor } from '../providers/index.ts';
import { type KeyPattern, ownerOf } from './key-pattern.ts';
import { matchesInEnvironment, matchesInFile } from './match.ts';
import { readerOf } from './readers/index.ts';

let providers: readonly Provider[];
let patterns: readonly KeyPattern[];

beforeAll(async () => {
  providers = (await loadBundled()).map((document) => parseProvider(document, 'bundled'));
  patterns = providers.map((provider) => ({
    provider: provider.name,
    displayName: provider.displayName,
    variables: [provider.apiKey?.envVar ?? [], provider.exportVariables.map(({ name }) => name)].flat(2),
    pattern: provider.apiKey?.keyPattern,
    hosts: asksOf(provider).hosts,
    takesKey: provider.apiKey !== undefined,
  }));
});

const owner = (name: string, value: string) => ownerOf(name, value, patterns)?.owner.provider;
const alternatives = (name: string, value: string) =>
  ownerOf(name, value, patterns)?.alternatives.map(({ provider }) => provider);

const letters = 'aB3dE6gH9jK2mN5pQ8sT1vW4xY7zA0cD3fG6iJ9l';

describe('whose secret a value is', () => {
  it.each([
    ['OPENAI_API_KEY', `sk-${letters}`, 'openai'],
    ['OPENAI_API_KEY', 'sk-12#3', 'openai'],
    ['GH_TOKEN', `gho_${letters}`, 'github'],
    ['NPM_GH_TOKEN', `ghp_${letters}`, 'npmgh'],
    ['DD_API_KEY', '0123456789abcdef0123456789abcdef', 'datadog'],
    ['TWILIO_AUTH_TOKEN', '0123456789abcdef0123456789abcdef', 'twilio'],
  ])('goes by the variable %s', (name, value, provider) => {
    expect(owner(name, value)).toBe(provider);
    expect(alternatives(name, value)).toEqual([]);
  });

  it('goes by the value where that is plainly another service’s', () => {
    expect(owner('OPENAI_API_KEY', `sk-or-v1-${letters}`)).toBe('openrouter');
    expect(owner('DEEPSEEK_API_KEY', `sk-ant-api03-${letters}`)).toBe('anthropic');
  });

  it.each([
    ['WHATEVER', `sk-ant-${letters}`, 'anthropic'],
    ['WHATEVER', 'sk_live_abcdefghijklmnopqrst', 'stripe'],
    ['WHATEVER', `ghp_${letters}`, 'github'],
    ['WHATEVER', 'xoxb-1234567890-abcdef', 'slack'],
    ['WHATEVER', `SG.${letters.slice(0, 22)}.${letters}`, 'sendgrid'],
  ])('knows a distinctive key under any name: %s=%s', (name, value, provider) => {
    expect(owner(name, value)).toBe(provider);
  });

  it('names all providers whose keys look alike, unless the variable names one', () => {
    expect(alternatives('WHATEVER', `sk-${letters}`)).toEqual(['deepseek']);
    expect(alternatives('MY_OPENAI_KEY', `sk-${letters}`)).toEqual([]);
    expect(owner('MY_DEEPSEEK_KEY', `sk-${letters}`)).toBe('deepseek');
  });

  it.each([
    ['MODEL', 'sk-learn-random-forest-classifier'],
    ['NEXT_PUBLIC_STRIPE_KEY', `pk_live_${letters}`],
    ['COMMIT', '0123456789abcdef0123456789abcdef'],
    ['COMMIT', '0123456789abcdef0123456789abcdef01234567'],
    ['DATADOG_HOST', '0123456789abcdef0123456789abcdef'],
    ['PATH', '/usr/local/bin:/usr/bin:/bin'],
    ['EMAIL', 'someone@example.com'],
    ['OPENAI_API_KEY', '<your key>'],
    ['OPENAI_API_KEY', 'your-api-key-here'],
    ['OPENAI_API_KEY', 'xxxxxxxx'],
    ['OPENAI_API_KEY', 'your-key-here'],
    ['OPENAI_API_KEY', 'sk-your-openai-api-key-here'],
    ['OPENAI_API_KEY', 'sk-...'],
    ['OPENAI_API_KEY', 'sk-proj-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'],
    ['OPENAI_API_KEY', 'changeme'],
    ['OPENAI_API_KEY', '<token>'],
    ['OPENAI_API_KEY', '%OPENAI_API_KEY%'],
    ['GITHUB_TOKEN', 'ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'],
    ['GITHUB_TOKEN', 'ghp_000000000000000000000000000000000000'],
    ['WHATEVER', 'ghp_XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX'],
    ['ANTHROPIC_API_KEY', 'sk-ant-api03-replace-me-with-your-key-12345'],
    ['SLACK_BOT_TOKEN', 'xoxb-your-token'],
  ])('takes %s=%s for none', (name, value) => {
    expect(owner(name, value)).toBeUndefined();
  });

  it('knows a loosely described key where the variable names the service', () => {
    expect(owner('MY_DATADOG_KEY', '0123456789abcdef0123456789abcdef')).toBe('datadog');
  });

  it('stays quick on long values', () => {
    expect(owner('OPENAI_API_KEY', `your${'a'.repeat(8_000)}1`)).toBe('openai');
  });
});

describe('what is reported', () => {
  it('is no phantom that says what it is', () => {
    for (const provider of providers) {
      const phantom = phantomFor(provider, randomBytes);
      if (!/phantom/i.test(phantom)) continue;
      const environment = Object.fromEntries(
        [...provider.exportVariables.map(({ name }) => name), 'X'].map((name) => [name, phantom]),
      );
      expect(matchesInEnvironment(environment, patterns).matches).toEqual([]);
    }
  });

  it('is no reference, no empty value, no text, and no setting of authsome', () => {
    const assignment = { name: 'OPENAI_API_KEY', line: 1, start: 0, end: 0, isReference: false };
    const values = ['', 'two words', `x${'y'.repeat(9_000)}`, 'schlüssel'];
    const assignments = [
      ...values.map((value) => ({ ...assignment, value })),
      { ...assignment, value: `sk-${letters}`, isReference: true },
    ];
    expect(matchesInFile({ file: '.env', reader: readerOf('.env') }, assignments, patterns).matches).toEqual(
      [],
    );
    expect(matchesInEnvironment({ AUTHSOME_MASTER_KEY: `sk-ant-${letters}` }, patterns)).toEqual({
      matches: [],
      unclaimed: [],
    });
  });
});
