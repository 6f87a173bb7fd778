import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Fixture, openFixture } from '../support/fixture.ts';

/**
 * The attack: a variable or a line in `config.json` names a daemon on another machine over plain http. `login` sent it
 * `{"provider":"openai","api_key":"sk-…"}` in clear text, where everybody on the way reads it.
 */
const key = `sk-proj-${'a1B2'.repeat(12)}`;
let fixture: Fixture;
let sink: Server;
let url: string;
const received: string[] = [];

beforeAll(async () => {
  fixture = await openFixture();
  sink = createServer((request, response) => {
    received.push(`${request.method} ${request.url}`);
    response.end('{}');
  });
  await new Promise<void>((resolve) => sink.listen(0, '0.0.0.0', resolve));
  const outside = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal);
  url = `http://${outside?.address ?? '10.66.0.1'}:${(sink.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await fixture.close();
  sink.close();
});

describe('a daemon on another machine, over plain http', () => {
  it.each([['login', 'openai'], ['scan'], ['run', '--', 'true'], ['list']])(
    'gets nothing from %s',
    async (...command) => {
      const outcome = await fixture.authsome(command, {
        env: { AUTHSOME_BASE_URL: url, OPENAI_API_KEY: key },
      });
      expect(outcome).toMatchObject({ code: 2, stdout: '' });
      expect(outcome.stderr).toContain('AUTHSOME_BASE_URL is plain http to another machine');
      expect(outcome.stderr).not.toContain(key);
      expect(received).toEqual([]);
    },
  );

  it('gets nothing where config.json names it', async () => {
    mkdirSync(fixture.home, { recursive: true, mode: 0o700 });
    writeFileSync(join(fixture.home, 'config.json'), JSON.stringify({ base_url: url }), { mode: 0o600 });
    const outcome = await fixture.authsome(['login', 'openai'], { env: { OPENAI_API_KEY: key } });
    expect(outcome).toMatchObject({ code: 2 });
    expect(outcome.stderr).toContain('base_url in config.json is plain http to another machine');
    expect(received).toEqual([]);
  });
});
