import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Fixture, openFixture, register } from '../support/fixture.ts';

/**
 * The attack: a name from outside carries the very sequences that authsome uses itself, colors and links, or a line end.
 * They were left in, so a definition, an argument or a path could color its words, hide a link behind others, or write a
 * line such as `✓ Connected` of its own.
 */
const link = '\u001b]8;;https://evil.example\u001b\\github.com\u001b]8;;\u001b\\';
const hostile = `x\n\u001b[32m✓\u001b[39m Connected github/default\r${link}\u009b2J\u202e`;
const controls = /[\p{Cc}\p{Bidi_Control}]/u;
let fixture: Fixture;

beforeAll(async () => {
  fixture = await openFixture();
});
afterAll(() => fixture.close());

/** The lines of a text, with a check that nothing in them controls a terminal. */
function linesOf(text: string): readonly string[] {
  const lines = text.replaceAll('\r\n', '\n').trimEnd().split('\n');
  for (const line of lines) expect(line).not.toMatch(controls);
  return lines;
}

describe('a stranger’s text', () => {
  it.each([
    [['login', hostile]],
    [['get', hostile]],
    [['list', hostile]],
    [[hostile]],
    [['help', hostile]],
    [['get', 'github', '--field', hostile]],
    [['register', `/nowhere/${hostile}`]],
    [['run', '-p', hostile, '--', 'true']],
    [['run', '--', `./${hostile}`]],
  ])('in an argument stays on its line, and colors nothing: %j', async (args) => {
    const { stdout, stderr } = await fixture.authsome(args);
    expect(stdout).toBe('');
    expect(linesOf(stderr).filter((line) => line.startsWith('✓'))).toEqual([]);
    expect(stderr).not.toContain(link);
  });

  it('in a definition is shown as it is spelled, by register and inspect, in a pipe and on a terminal', async () => {
    const definition = {
      schema_version: 1,
      name: 'weather',
      auth_type: 'api_key',
      flow: 'api_key',
      api_url: 'https://api.weather.example',
      api_key: { header_name: 'x-key' },
      [hostile]: hostile,
    };
    const registered = await register(fixture, definition);
    expect(registered.code).toBe(0);
    expect(linesOf(registered.stderr).some((line) => line.includes('\\u001b[32m✓'))).toBe(true);
    const piped = await fixture.authsome(['inspect', 'weather']);
    expect(linesOf(piped.stdout).join()).toContain('weather');
    linesOf(piped.stderr);
    const onTerminal = await fixture.startOnTerminal(['inspect', 'weather'], { env: { NO_COLOR: '1' } })
      .ended;
    expect(linesOf(onTerminal.stdout).filter((line) => line.startsWith('✓'))).toEqual([]);
  });

  it('in a file that is scanned, or in its name, is shown as it is spelled', async () => {
    const file = join(fixture.directory, `.env.\u001b[32m\n✓ x${'\u202e'}`);
    writeFileSync(file, `OPENAI_API_KEY=sk-proj-${'a1B2'.repeat(12)}\n`);
    const { stdout } = await fixture.authsome(['scan', file]);
    expect(linesOf(stdout)).toHaveLength(2);
    expect(stdout).toContain('.env.\\u001b[32m\\u000a✓ x\\u202e:1');
  });
});
