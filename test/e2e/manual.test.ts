import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { commandTable } from '../../src/cli/command-table.ts';
import { type Fixture, openFixture, root, withFixture } from '../support/fixture.ts';

const pageOf = (name: string) => readFileSync(join(root, `docs/${name}.md`), 'utf8');
const everywhere = new Set([
  '--help',
  '--json',
  '--quiet',
  '--verbose',
  '--no-color',
  '--log-file',
  '--version',
]);

async function helpOf(fixture: Fixture, ...command: readonly string[]): Promise<string> {
  const help = await fixture.authsome([...command, '--help']);
  expect([command, help.code, help.stderr]).toEqual([command, 0, '']);
  return help.stdout.slice(0, help.stdout.indexOf('Examples:'));
}

/** The help of a command, and of every command below it. */
async function helpsOf(fixture: Fixture, ...words: readonly string[]): Promise<readonly string[]> {
  const help = await helpOf(fixture, ...words);
  const below = help.includes('\nCommands:\n')
    ? [...help.matchAll(/^ {2}(\w[\w-]*) /gm)].map(([, word]) => word ?? '')
    : [];
  const verbs = below.filter((word) => word !== 'help');
  const helps = await Promise.all(verbs.map((verb) => helpsOf(fixture, ...words, verb)));
  return [help, ...helps.flat()];
}

function optionsIn(help: string): readonly string[] {
  return [...help.matchAll(/^ +(?:-\w, )?(--[\w-]+)/gm)].map(([, option]) => option ?? '');
}

it('every command has a page, which names each of its options and no other', async () => {
  await withFixture(await openFixture(), async (fixture) => {
    for (const { name } of commandTable) {
      const helps = await helpsOf(fixture, name);
      const own = helps.flatMap(optionsIn).filter((option) => !everywhere.has(option));
      const page = pageOf(name);
      expect([name, own.filter((option) => !page.includes(option))]).toEqual([name, []]);
      const documented = [...page.matchAll(/^\| `(?:-\w`, `)?(--[\w-]+)/gm)].map(([, option]) => option);
      expect([name, documented.filter((option) => !own.includes(option ?? ''))]).toEqual([name, []]);
    }
    expect(fixture.daemonPid()).toBeUndefined();
  });
});

it('the same pages are in the terminal', async () => {
  await withFixture(await openFixture(), async (fixture) => {
    for (const topic of ['provider-schema', 'headless', 'errors', 'oauth-callbacks']) {
      const page = await fixture.authsome(['help', topic]);
      expect([topic, page.code]).toEqual([topic, 0]);
      expect(page.stdout).toContain(pageOf(topic).split('\n')[0]?.replace(/^# /, ''));
    }
    expect((await fixture.authsome(['help', 'no-such-page'])).code).toBe(2);
    expect((await fixture.authsome(['help', 'daemon', 'no-such-verb'])).code).toBe(2);
  });
});

it('a verb of a command and a page in words lead to their page, rendered', async () => {
  await withFixture(await openFixture(), async (fixture) => {
    const daemon = await fixture.authsome(['help', 'daemon']);
    expect(await fixture.authsome(['help', 'daemon', 'status'])).toEqual(daemon);
    expect(daemon.stdout).not.toMatch(/`|^#|^\|/m);
    expect((await fixture.authsome(['help', 'token', 'refresh'])).stdout).toBe(
      (await fixture.authsome(['help', 'token-refresh'])).stdout,
    );
  });
});

it('the contents list every page once, in groups, with a line each', async () => {
  await withFixture(await openFixture(), async (fixture) => {
    const { topics } = JSON.parse((await fixture.authsome(['help', '--json'])).stdout);
    const contents = await fixture.authsome(['help']);
    const named = [...contents.stdout.matchAll(/^ {2}([a-z][\w-]*) {2,}\S/gm)].map(([, name]) => name);
    expect(named.toSorted()).toEqual(topics);
    expect(contents.stdout).toMatch(/^Sign in:\n {2}login /);
    expect(fixture.daemonPid()).toBeUndefined();
  });
});
