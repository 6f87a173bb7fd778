import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunDocument } from '../../client/index.ts';
import { loadBundled } from '../../providers/index.ts';
import { givenVariables } from './given-variables.ts';
import { suspiciousValues } from './suspicious.ts';

const script: string = '../../../scripts/provider-keys.mjs';
let directory: string;
let bundledKeys: string;
beforeAll(async () => {
  const { keysOf } = (await import(script)) as { keysOf: (definition: unknown) => unknown };
  directory = mkdtempSync(join(tmpdir(), 'authsome-keys-'));
  bundledKeys = join(directory, 'provider-keys.json');
  writeFileSync(bundledKeys, JSON.stringify((await loadBundled()).map(keysOf)));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const run = {
  connections: ['github/default'],
  phantoms: { GITHUB_TOKEN: 'ghp_phantomA' },
  secret_variables: ['GITHUB_CLIENT_SECRET'],
  provider_phantoms: { github: 'ghp_phantomA' },
} as unknown as RunDocument;
const given = (parent: Record<string, string>, changes: Partial<RunDocument> = {}, inheritsSecrets = false) =>
  givenVariables(
    parent,
    { ...run, ...changes },
    { inheritsSecrets, values: suspiciousValues(parent), bundledKeys },
  );

const real = {
  github: `ghp_${'aB3x'.repeat(9)}`,
  anthropic: `sk-ant-api03-${'aB3x_'.repeat(19)}`,
  openrouter: `sk-or-v1-${'ab34'.repeat(16)}`,
  openai: `sk-proj-${'aB3x'.repeat(40)}`,
};

describe('a real key in the environment of a run', () => {
  it('is replaced by the phantom of its provider, and dropped where the run has none', async () => {
    const { phantoms, secret_variables: dropped } = await given({
      MY_HUB: real.github,
      CLAUDE: real.anthropic,
      ROUTER: real.openrouter,
      AI: real.openai,
    });
    expect(phantoms).toEqual({ GITHUB_TOKEN: 'ghp_phantomA', MY_HUB: 'ghp_phantomA' });
    expect(dropped).toEqual(['GITHUB_CLIENT_SECRET', 'CLAUDE', 'ROUTER', 'AI']);
  });

  it('is also that of a definition of one’s own', async () => {
    const key_patterns = [{ provider: 'pixel', pattern: '^px_[a-z0-9]{32}$' }];
    const provider_phantoms = { pixel: 'px_phantom' };
    const parent = { THING: `px_${'k3y'.repeat(10)}zz` };
    expect((await given(parent, { key_patterns, provider_phantoms })).phantoms).toMatchObject({
      THING: 'px_phantom',
    });
    expect((await given(parent)).secret_variables).toEqual(['GITHUB_CLIENT_SECRET']);
  });

  it('is no ordinary text, no public key, and no phantom', async () => {
    const parent = {
      LESSOPEN_KEY: '| /usr/bin/lesspipe %s',
      MODEL_TOKEN: 'sk-learn-model-of-the-day-before-yesterday',
      PUBLISHABLE_KEY: `pk_live_${'aB3x'.repeat(8)}`,
      HASH: 'da39a3ee5e6b4b0d3255bfef95601890afd80709',
      STAND_IN: `ghp_phantom${'aB3x'.repeat(7)}a`,
      SESSION: 'unix:path=/run/user/1000/bus',
      RELEASE: 're_release_candidate_of_today',
    };
    const { phantoms, secret_variables: dropped } = await given(parent);
    expect([phantoms, dropped]).toEqual([run.phantoms, run.secret_variables]);
  });

  it('is not looked for in what the daemon knows, nor inside of another run', async () => {
    const parent = { GITHUB_TOKEN: real.github, BOT: real.github };
    const phantom_variables = ['BOT'];
    expect(await given(parent, { phantom_variables })).toEqual({
      phantoms: run.phantoms,
      secret_variables: run.secret_variables,
    });
    expect((await given({ BOT: real.github }, { outer_run: 'run_0' })).phantoms).toEqual(run.phantoms);
  });

  it('is kept with --inherit-secrets, and phantoms are set beside it', async () => {
    const both = { ...run.phantoms, GH_TOKEN: 'ghp_phantomA' };
    expect(
      await given({ GITHUB_TOKEN: real.github, CLAUDE: real.anthropic }, { phantoms: both }, true),
    ).toEqual({
      phantoms: { GH_TOKEN: 'ghp_phantomA' },
      secret_variables: [],
    });
  });
});
