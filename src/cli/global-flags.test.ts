import { expect, test } from 'vitest';
import { takeGlobalFlags } from './arguments.ts';
import { asksForJson, readHead } from './global-flags.ts';

const words = (line: string) => line.split(' ');

test('finds --json wherever it is ours', () => {
  for (const line of [
    '--json list',
    'list --json',
    'run --json -- x',
    'run --provider p --json',
    'lits --json',
  ]) {
    expect([line, asksForJson(words(line))]).toEqual([line, true]);
  }
});

test('leaves the child of a run its own --json', () => {
  for (const line of [
    'run gh --json',
    'run -- gh --json',
    'run --provider p gh --json',
    'run --provider --json gh',
  ]) {
    expect([line, asksForJson(words(line))]).toEqual([line, false]);
  }
});

test('takes global flags from both sides of a command, up to --', () => {
  expect(takeGlobalFlags(words('-q list mail --json --log-file=a.log -- --verbose'))).toMatchObject({
    flags: { quiet: true, json: true, verbose: false, logFile: 'a.log' },
    rest: ['list', 'mail', '--', '--verbose'],
  });
});

test('reads the command behind the flags in front of it', () => {
  expect(readHead(words('--no-color --log-file f run --json x'))).toMatchObject({
    flags: { color: false, logFile: 'f', json: false },
    command: 'run',
    rest: ['--json', 'x'],
  });
  expect(() => readHead(['--log-file'])).toThrow('--log-file needs a file name');
});
