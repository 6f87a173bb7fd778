import { expect, it } from 'vitest';
import { type Finding, readerOf } from '../../scan/index.ts';
import { cautionsOf, startLine } from './start-line.ts';

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

const lineFor = (findings: readonly Finding[], connections: Record<string, readonly string[]> = {}) => {
  const files = new Set(findings.map(({ place }) => place?.file ?? ''));
  const rewritten = [...files].map((file) => ({ file, values: 1 }));
  return startLine(findings, { rewritten }, new Map(Object.entries(connections)));
};

it('names the tool that reads the file, or what the person starts', () => {
  expect(lineFor([finding('gh/hosts.yml', 'github', 'default')])).toBe(
    'Start what reads it with: authsome run -- gh …',
  );
  expect(lineFor([finding('.env', 'openai', 'default')])).toBe(
    'Start what reads it with: authsome run -- <what you start>',
  );
  expect(lineFor([finding('.npmrc', 'npmgh', 'default'), finding('.env', 'openai', 'default')])).toBe(
    'Start what reads them with: authsome run -- <npm, or what you start>',
  );
});

it('asks for the connections that a run would not have, after the default', () => {
  const both = [finding('.env.production', 'openai', 'production'), finding('.env', 'openai', 'work')];
  expect(lineFor(both, { openai: ['work', 'production'] })).toBe(
    'Start what reads them with: authsome run --connection openai=work --connection openai=production -- <what you start>',
  );
  expect(lineFor(both.slice(0, 1), { openai: ['work'] })).toContain('run --connection openai=production -- ');
  expect(lineFor(both.slice(1), { openai: ['work', 'production'] })).toContain('run -- ');
});

it('says what stops working', () => {
  const docker = finding('.docker/config.json', 'github', 'default');
  const rewritten = [{ file: '.docker/config.json', values: 1 }];
  expect(cautionsOf([docker, docker], { rewritten })).toEqual([expect.stringContaining('docker pull')]);
  expect(cautionsOf([docker], { rewritten: [] })).toEqual([]);
});
