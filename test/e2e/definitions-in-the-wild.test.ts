import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Fixture, openFixture } from '../support/fixture.ts';

const text = `{
  // A definition as people write them.
  "name": "wild",
  "auth_type": "api_key",
  "api_url": "https://api.wild.example",
  "description": "A service", "logo": "https://wild.example/logo.png",
  "docs_url": "https://wild.example/docs",
  "api_key": { "header": "X-Key", },
  "export": { "api_key": "WILD_API_KEY" },
}`;
let fixture: Fixture;
beforeAll(async () => {
  fixture = await openFixture();
});
afterAll(() => fixture.close());

describe('a definition found in the wild', () => {
  it('is registered with its comments, and its unknown field is said at once', async () => {
    const file = join(fixture.directory, 'wild.jsonc');
    writeFileSync(file, text);
    const { code, stderr } = await fixture.authsome(['register', file, '--yes']);
    expect(code).toBe(0);
    expect(stderr).toContain('unknown field "header" (did you mean "header_name"?) at /api_key/header');
    expect(stderr).not.toMatch(/logo|description|docs_url/);
  });

  it('keeps the field, and inspect and doctor say so too', async () => {
    const document = await fixture.json(['inspect', 'wild']);
    expect(document).toMatchObject({
      api_key: { header: 'X-Key' },
      docs: 'https://wild.example/docs',
      export: { env: { api_key: 'WILD_API_KEY' } },
      unknown_fields: [{ pointer: '/api_key/header', meant: 'header_name' }],
    });
    const { stdout, stderr } = await fixture.authsome(['inspect', 'wild']);
    expect(stderr).toContain('unknown field "header"');
    expect(stdout).not.toContain('unknown_fields');
    const { checks } = await fixture.json(['doctor'], 0);
    expect(checks.find(({ name }: { name: string }) => name === 'providers')).toMatchObject({
      status: 'warn',
      message: expect.stringContaining('providers/wild.json has an unknown field "header"'),
    });
    expect(await fixture.json(['inspect', 'github'])).not.toHaveProperty('unknown_fields');
  });

  it('may have comments in the folder of the home as well', async () => {
    const folder = join(fixture.home, 'providers');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'other.json'), text.replace('"wild"', '"other"'), { mode: 0o600 });
    expect((await fixture.authsome(['inspect', 'other'])).code).toBe(0);
  });
});
