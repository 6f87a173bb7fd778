import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { testContext } from '../test-context.ts';
import { envQuoted, exportSecret, shellQuoted } from './export.ts';

const client = {
  exportConnection: async () => ({
    v: 1 as const,
    provider: 'acme',
    connection: 'default',
    variables: { ACME_KEY: "a'b $c" },
  }),
};

it('writes for a shell, for a .env file, and as JSON', async () => {
  const written = async (format: 'env' | 'shell' | 'json') => {
    const { context, output } = testContext({ client });
    await exportSecret(context, { provider: 'acme', format });
    return output.stdout;
  };
  expect(await written('shell')).toBe(`export ACME_KEY='a'\\''b $c'\n`);
  expect(await written('env')).toBe('ACME_KEY="a\'b \\$c"\n');
  expect(JSON.parse(await written('json'))).toEqual({ ACME_KEY: "a'b $c" });
});

it('leaves a plain value in a .env file unquoted, and quotes what would be cut', () => {
  expect(envQuoted('sk-proj_12/3=')).toBe('sk-proj_12/3=');
  expect(envQuoted('sk-12#3')).toBe("'sk-12#3'");
});

it('says to a shell exactly what the secret is', () => {
  const values = fc
    .sample(fc.string({ unit: 'grapheme-ascii' }), 20)
    .concat(["'", "''\\", '$(id)', '`id`', 'a\nb']);
  const script = values.map((value) => `printf '%s\\0' ${shellQuoted(value)}`).join('\n');
  expect(execFileSync('sh', ['-c', script], { encoding: 'utf8' })).toBe(
    values.map((value) => `${value}\0`).join(''),
  );
});
