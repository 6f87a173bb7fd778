import { expect, it } from 'vitest';
import { flagsMeant, readHead, takeGlobalFlags } from './global-flags.ts';

const words = (line: string) => line.split(' ');

it('finds --json wherever it is authsome’s own', () => {
  for (const line of [
    '--json list',
    'list --json',
    'run --json -- x',
    'run --provider p --json',
    'lits --json',
  ]) {
    expect([line, flagsMeant(words(line)).json]).toEqual([line, true]);
  }
});

it('leaves the child of a run its own --json', () => {
  for (const line of [
    'run gh --json',
    'run -- gh --json',
    'run --provider p gh --json',
    'run --provider --json gh',
  ]) {
    expect([line, flagsMeant(words(line)).json]).toEqual([line, false]);
  }
});

it('knows the flags that are meant, whatever else is wrong with the command line', () => {
  expect(flagsMeant(words('run --nope --no-color -q --log-file a.log x -v'))).toMatchObject({
    color: false,
    quiet: true,
    logFile: 'a.log',
    verbose: false,
  });
  expect(flagsMeant(words('list --log-file= --json --log-file'))).toMatchObject({
    json: true,
    logFile: undefined,
  });
});

it('takes global flags from both sides of a command, up to --', () => {
  expect(takeGlobalFlags(words('-q list mail --json --log-file=a.log -- --verbose'))).toMatchObject({
    flags: { quiet: true, json: true, verbose: false, logFile: 'a.log' },
    rest: ['list', 'mail', '--', '--verbose'],
  });
});

it('reads the command behind the flags in front of it', () => {
  expect(readHead(words('--no-color --log-file f run --json x'))).toMatchObject({
    flags: { color: false, logFile: 'f', json: false },
    command: 'run',
    rest: ['--json', 'x'],
  });
  expect(() => readHead(['--log-file'])).toThrow('--log-file needs a file name');
});
