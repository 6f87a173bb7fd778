import { expect, it } from 'vitest';
import { type Finding, readerOf } from '../../scan/index.ts';
import { cautionsOf, startLines } from './start-line.ts';

function finding(file: string, provider: string, connection: string): Finding {
  const pattern = {
    provider,
    displayName: provider,
    variables: [],
    pattern: undefined,
    hosts: [],
    takesKey: true,
  };
  const assignment = { name: 'KEY', value: 'a-secret', line: 1, start: 0, end: 0, isReference: false };
  const place = { file, reader: readerOf(file), assignment };
  return {
    provider: pattern,
    alternatives: [],
    variable: 'KEY',
    value: 'a-secret',
    place,
    inVault: 'same',
    connection,
  };
}

const linesFor = (findings: readonly Finding[], connections: Record<string, readonly string[]> = {}) => {
  const files = new Set(findings.map(({ place }) => place?.file ?? ''));
  const rewritten = [...files].map((file) => ({ file, values: 1 }));
  return startLines(findings, { rewritten }, new Map(Object.entries(connections)));
};

it('names the tool that reads the file, or what the person starts', () => {
  const gh = finding('gh/hosts.yml', 'github', 'default');
  const npm = finding('.npmrc', 'npmgh', 'default');
  const env = finding('.env', 'openai', 'default');
  expect(linesFor([gh])).toEqual(['Start what reads it with: authsome run -- gh …']);
  expect(linesFor([env])).toEqual(['Start what reads it with: authsome run -- <what you start>']);
  expect(linesFor([gh, npm, env])).toEqual([
    'Start what reads them with: authsome run -- <gh, npm or what you start>',
  ]);
  expect(linesFor([])).toEqual([]);
});

it('asks for the connection that a file needs, in a line of its own', () => {
  const both = [finding('.env.production', 'openai', 'production'), finding('.env', 'openai', 'work')];
  expect(linesFor(both, { openai: ['work', 'production'] })).toEqual([
    'Start what reads .env.production with: authsome run --connection openai=production -- <what you start>',
    'Start what reads .env with: authsome run -- <what you start>',
  ]);
  expect(linesFor(both.slice(1), { openai: ['work', 'production'] })).toEqual([
    'Start what reads it with: authsome run -- <what you start>',
  ]);
});

it('puts the connection first that the file gives the variable of a run', () => {
  const named = finding('.env', 'openai', 'production');
  const exported = { ...named, provider: { ...named.provider, variables: ['KEY'] } };
  const others = ['work', 'spare'].map((name) => ({ ...finding('.env', 'openai', name), variable: 'OTHER' }));
  expect(linesFor([...others, exported], { openai: ['work', 'spare', 'production'] })).toEqual([
    'Start what reads it with: authsome run --connection openai=production --connection openai=work --connection openai=spare -- <what you start>',
  ]);
});

it('says what stops working', () => {
  const docker = finding('.docker/config.json', 'github', 'default');
  const rewritten = [{ file: '.docker/config.json', values: 1 }];
  expect(cautionsOf([docker, docker], { rewritten })).toEqual([expect.stringContaining('docker pull')]);
  expect(cautionsOf([docker], { rewritten: [] })).toEqual([]);
});
