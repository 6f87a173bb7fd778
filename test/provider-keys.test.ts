import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { asksOf, parseProvider } from '../src/providers/index.ts';

const definitions = join(import.meta.dirname, '../src/providers/definitions');
const script: string = '../scripts/provider-keys.mjs';

it('says of the bundled definitions what the daemon reads in them', async () => {
  const { keysOf } = (await import(script)) as { keysOf: (definition: unknown) => unknown };
  const files = readdirSync(definitions).filter((file) => file.endsWith('.json'));
  expect(files.length).toBeGreaterThan(100);
  for (const file of files) {
    const definition: unknown = JSON.parse(readFileSync(join(definitions, file), 'utf8'));
    const provider = parseProvider(definition, 'bundled');
    const { name, displayName, apiKey, exportVariables } = provider;
    const variables = [apiKey?.envVar, ...exportVariables.map((variable) => variable.name)];
    expect(keysOf(definition)).toEqual({
      name,
      display_name: displayName,
      key_variable: apiKey?.envVar ?? null,
      variables: [...new Set(variables.filter((variable) => variable !== undefined))],
      key_pattern: apiKey?.keyPattern?.source ?? null,
      hosts: asksOf(provider).hosts,
      takes_key: apiKey !== undefined,
    });
  }
});
