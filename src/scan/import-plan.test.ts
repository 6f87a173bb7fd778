import { expect, it } from 'vitest';
import { type Finding, isReplaced, planImports } from './import-plan.ts';
import type { KeyPattern } from './key-pattern.ts';
import { readerOf } from './readers/index.ts';

const openai: KeyPattern = {
  provider: 'openai',
  displayName: 'OpenAI',
  variables: ['OPENAI_API_KEY'],
  pattern: undefined,
  hosts: [],
  takesKey: true,
};

function finding(
  file: string | undefined,
  value: string,
  more: Partial<Finding> & { line?: number } = {},
): Finding {
  const { line = 1, ...rest } = more;
  const variable = rest.variable ?? 'OPENAI_API_KEY';
  const assignment = { name: variable, value, line, start: 0, end: 0, isReference: false };
  return {
    provider: openai,
    alternatives: [],
    variable,
    value,
    place: file === undefined ? undefined : { file, reader: readerOf(file), assignment },
    inVault: 'absent',
    connection: undefined,
    ...rest,
  };
}

type Names = ReadonlyMap<string, readonly string[]>;
const none: Names = new Map();
const named = (findings: readonly Finding[], force = false, connections = none) =>
  planImports(findings, { force, connections }).imports.map(
    ({ connection, findings: [{ value }], replaces }) => [connection, value, replaces],
  );
const reasons = (findings: readonly Finding[], force = false, connections = none) =>
  planImports(findings, { force, connections }).skipped.map(({ reason }) => reason);

it('imports one value once, however often it is found', () => {
  const same = [finding('.env', 'k1'), finding('.env.local', 'k1'), finding(undefined, 'k1')];
  const plan = planImports(same, { force: false, connections: none });
  expect(plan.imports).toMatchObject([{ connection: 'default', replaces: false }]);
  expect(plan.imports[0]?.findings).toHaveLength(3);
  expect(plan.skipped).toEqual([]);
});

it('names the connections of further values after their files, or their variables', () => {
  const findings = [
    finding('.env', 'k1'),
    finding('.env.production', 'k2'),
    finding('a/.env.production', 'k3'),
    finding('services/Some API/.env', 'k5'),
    finding('~/.codex/auth.json', 'k6'),
    finding(undefined, 'k4', { variable: 'MY_OPENAI__KEY' }),
  ];
  expect(named(findings)).toEqual([
    ['default', 'k1', false],
    ['production', 'k2', false],
    ['production-2', 'k3', false],
    ['some-api', 'k5', false],
    ['codex', 'k6', false],
    ['my-openai-key', 'k4', false],
  ]);
});

it('leaves a value that the same file sets again', () => {
  const findings = [finding('.env', 'old'), finding('.env', 'new', { line: 4 })];
  expect(named(findings)).toEqual([['default', 'new', false]]);
  expect(reasons(findings)).toEqual(['line 4 sets it again']);
});

it('gives what differs from the vault a connection of its own, unless it is forced to replace that one', () => {
  const differs = { inVault: 'different', connection: 'work' } as const;
  const taken = new Map([['openai', ['work', 'local']]]);
  expect(named([finding('.env', 'k1', differs)], false, taken)).toEqual([['openai-api-key', 'k1', false]]);
  expect(named([finding('.env.local', 'k1', differs)], false, taken)).toEqual([['local-2', 'k1', false]]);
  expect(named([finding('.env', 'k1', differs)], true)).toEqual([['work', 'k1', true]]);
  const two = [finding('.env', 'k1', differs), finding('.env.local', 'k2', differs)];
  expect(named(two, true)).toEqual([]);
  expect(reasons(two, true)).toEqual(Array(2).fill('2 different values could replace openai/work'));
});

it('skips what may belong to several providers, and what no key can sign in to', () => {
  const lookAlike = { ...openai, provider: 'deepseek' };
  expect(reasons([finding('.env', 'k1', { alternatives: [lookAlike] })])).toEqual([
    'it may be a key for openai or deepseek',
  ]);
  expect(reasons([finding('.env', 'k1', { provider: { ...openai, takesKey: false } })])).toEqual([
    'OpenAI does not accept an API key',
  ]);
});

it('leaves the tokens of an agent, which are taken over as a whole, and replaces none of them', () => {
  const token = finding('~/.claude/.credentials.json', 'k1', { inVault: 'same', connection: 'default' });
  const place = token.place && { ...token.place, assignment: { ...token.place.assignment, agent: 'openai' } };
  const own: Finding = { ...token, place };
  expect([isReplaced(token), isReplaced(own)]).toEqual([true, false]);
  expect(reasons([{ ...own, inVault: 'absent' }])).toEqual(["it belongs to the agent's own sign-in"]);
});

it('skips what is in the vault already', () => {
  const plan = planImports([finding('.env', 'k1', { inVault: 'same', connection: 'default' })], {
    force: true,
    connections: new Map([['openai', ['default']]]),
  });
  expect(plan).toEqual({ imports: [], skipped: [] });
});

it('never puts a value into a reason or a hint', () => {
  const value = 'sk-a-value-to-be-kept';
  const findings = [
    finding('.env', value, { line: 1 }),
    finding('.env', `${value}-2`, { line: 2 }),
    finding('.env.b', value, { inVault: 'different', connection: 'default' }),
    finding('.env.c', value, { alternatives: [openai] }),
  ];
  expect(
    JSON.stringify(
      planImports(findings, { force: false, connections: none }).skipped.map(
        ({ finding: _, ...rest }) => rest,
      ),
    ),
  ).not.toContain(value);
});
