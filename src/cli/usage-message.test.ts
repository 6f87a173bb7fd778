import { expect, it } from 'vitest';
import { usageMessage } from './usage-message.ts';

it.each([
  ["error: unknown option '--alll'\n(Did you mean --all?)", 'unknown option: --alll'],
  ["error: unknown command 'stat'", 'unknown command: stat'],
  [
    "error: option '-n, --lines <count>' argument '0' is invalid. It must be a whole number, 1 or more.",
    'invalid value "0" for --lines: must be a whole number, 1 or more',
  ],
  [
    "error: option '--format <format>' argument 'it's' is invalid. Allowed choices are env, shell, json.",
    'invalid value "it\'s" for --format: must be one of env, shell, json',
  ],
  [
    "error: command-argument value 'tcsh' is invalid for argument 'shell'. Allowed choices are bash, zsh, fish.",
    'invalid shell "tcsh": must be one of bash, zsh, fish',
  ],
  ["error: option '--flow <flow>' argument missing", '--flow needs a value'],
  ["error: missing required argument 'provider'", 'missing argument: <provider>'],
  [
    "error: too many arguments for 'get'. Expected 1 argument but got 2.",
    'too many arguments for get: expected 1, got 2',
  ],
  ["error: no words for 'this' yet", 'no words for "this" yet'],
])('says %j in the words of other errors', (message, said) => {
  expect(usageMessage(message)).toBe(said);
});
