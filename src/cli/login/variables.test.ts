import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InspectDocument } from '../../client/index.ts';
import { type TestContextOptions, testContext } from '../test-context.ts';
import { processInput, type SignInInput } from './input.ts';
import { variablesRead } from './variables.ts';

const asks_for = {
  variables_read: [
    { name: 'AWS_KEY', sent_to: ['api.evil.example'] },
    { name: 'AWS_ID', sent_to: ['id.evil.example', 'token.evil.example'] },
    { name: 'AWS_SECRET', sent_to: ['token.evil.example'] },
  ],
};
const withKey = { source: 'custom', flow: 'api_key', api_key: { env_var: 'AWS_KEY' }, asks_for };
const withClient = {
  ...withKey,
  flow: 'pkce',
  client: { client_id_env: 'AWS_ID', client_secret_env: 'AWS_SECRET' },
};
const environment = { AWS_KEY: 'aws-key', AWS_ID: 'aws-id', AWS_SECRET: 'aws-secret' };
const told = 'weather reads AWS_KEY, and sends it to api.evil.example';

interface Play extends TestContextOptions {
  readonly definition?: Readonly<Record<string, unknown>>;
  readonly input?: Partial<SignInInput>;
  readonly yes?: boolean;
}

function read({ definition = withKey, input = {}, yes = false, ...rest }: Play = {}) {
  const { context, output } = testContext({ environment, ...rest });
  const asked: string[] = [];
  const values = variablesRead(
    context,
    { provider: 'weather', force: false, browser: true, yes },
    definition as unknown as InspectDocument,
    {
      input: {
        ...processInput(false),
        isPipe: false,
        ...input,
        text: async (message, ...more) => {
          asked.push(message);
          return input.text?.(message, ...more);
        },
      },
      interrupted: new AbortController().signal,
    },
  );
  return { values, output, asked };
}

describe('variables that a definition of a person names', () => {
  it('are read after a yes at a terminal, which says the variable and the host', async () => {
    const { values, asked } = read({ input: { isTerminal: true, text: async () => 'y' } });
    expect(await values).toEqual({ api_key: 'aws-key' });
    expect(asked).toEqual([`${told}. Use it? [y/N] `]);
  });

  it.each(['', 'n', 'no', 'yonder', 'Nope, y'])('are not read when the answer is "%s"', async (answer) => {
    const { values, output } = read({ input: { isTerminal: true, text: async () => answer } });
    expect(await values).toEqual({});
    expect(output.stderr).toBe('');
  });

  it('end the command on Ctrl-C', async () => {
    const { values } = read({ input: { isTerminal: true, text: async () => undefined } });
    await expect(values).rejects.toMatchObject({ code: 'Cancelled' });
  });

  it.each([
    ['without a terminal', {}],
    ['under --json, which asks nothing', { json: true, input: { isTerminal: true } }],
  ])('are refused %s', async (_, more) => {
    const { values, asked } = read(more);
    await expect(values).rejects.toMatchObject({
      code: 'Usage',
      message: `${told}: that needs your yes`,
      hint: 'Allow it with: authsome login weather --yes',
    });
    expect(asked).toEqual([]);
  });

  it('of a client are named with every host, and a pipe cannot replace them', async () => {
    const { values } = read({ definition: withClient, input: { isPipe: true } });
    await expect(values).rejects.toMatchObject({
      message:
        'weather reads AWS_ID and AWS_SECRET, and sends them to id.evil.example, token.evil.example: that needs your yes',
    });
  });

  it('are left alone where a key may come from a pipe', async () => {
    const { values, output } = read({ input: { isPipe: true } });
    expect(await values).toEqual({});
    expect(output.stderr).toContain('Not using AWS_KEY. To allow that, run: authsome login weather --yes');
  });

  it('are read with --yes', async () => {
    expect(await read({ yes: true, definition: withClient }).values).toEqual({
      client_id: 'aws-id',
      client_secret: 'aws-secret',
    });
  });

  it('are no question where they are not set', async () => {
    const { values, asked } = read({ environment: { AWS_KEY: '' }, input: { isTerminal: true } });
    expect(await values).toEqual({});
    expect(asked).toEqual([]);
  });
});

describe('variables that a bundled definition names', () => {
  const definition = { ...withKey, source: 'bundled' };

  it('are read, and said', async () => {
    const { values, output } = read({ definition });
    expect(await values).toEqual({ api_key: 'aws-key' });
    expect(output.stderr).toBe('Using the key in AWS_KEY.\n');
  });
});

describe('variables that a daemon on another machine names', () => {
  const elsewhere = {
    ...environment,
    WEATHER_KEY: 'weather-key',
    AUTHSOME_BASE_URL: 'https://daemon.example',
  };
  let directory: string;
  let bundledKeys: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'authsome-variables-'));
    bundledKeys = join(directory, 'provider-keys.json');
    writeFileSync(bundledKeys, JSON.stringify([{ name: 'weather', key_variable: 'WEATHER_KEY' }]));
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  it.each([
    ['bundled', {}],
    ['custom', { yes: true }],
  ])(
    'have no effect, %s by its word, and the bundled one is said with where it goes',
    async (source, more) => {
      const { values, output, asked } = read({
        definition: { ...withKey, source },
        environment: elsewhere,
        bundledKeys,
        ...more,
      });
      expect(await values).toEqual({ api_key: 'weather-key' });
      expect(output.stderr).toBe(
        'Using the key in WEATHER_KEY. It is sent to the daemon at https://daemon.example.\n',
      );
      expect(asked).toEqual([]);
    },
  );

  it('are not read, with a yes neither, and that is said', async () => {
    const { WEATHER_KEY: _, ...unset } = elsewhere;
    const { values, output } = read({ environment: unset, bundledKeys, yes: true });
    expect(await values).toEqual({});
    expect(output.stderr).toBe(
      'Not using AWS_KEY: only the definition of the daemon at https://daemon.example names it.\n',
    );
    const client = read({ definition: withClient, environment: unset, bundledKeys, yes: true });
    expect(await client.values).toEqual({});
  });
});
