import { join } from 'node:path';
import { type Assignment, readJsonStrings } from '../syntax/index.ts';
import { endsIn, named, type Reader } from './reader.ts';

/** By account: `https://github.com:octocat`. */
function isToken([list, , field, ...rest]: readonly string[]): boolean {
  if (rest.length > 0) return false;
  return (list === 'copilotTokens' && field === undefined) || (list === 'authTokens' && field === 'token');
}

/** The `config.json` of GitHub Copilot's command line: its tokens by account, where its user has allowed plain text. */
export const copilot: Reader = {
  name: 'github-copilot',
  program: 'copilot',
  format: 'JSON',
  fits: endsIn('.copilot/config.json'),
  places: (where) => [join(named(where, 'COPILOT_HOME') ?? join(where.home, '.copilot'), 'config.json')],
  read: (text) =>
    readJsonStrings(text)?.flatMap(({ path, value, line, start, end }): readonly Assignment[] => {
      if (value === '' || path.length < 2 || !isToken(path)) return [];
      const place = { name: path.at(-1) ?? '', value, line, start, end, isReference: false, isSecret: true };
      return [{ ...place, section: path.join('/'), agent: 'github-copilot' }];
    }),
};
