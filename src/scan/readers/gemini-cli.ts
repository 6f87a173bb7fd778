import { join } from 'node:path';
import { type Assignment, readJsonStrings } from '../syntax/index.ts';
import { endsIn, named, type Reader } from './reader.ts';

const fields = ['access_token', 'refresh_token', 'id_token'];

/** What Gemini CLI keeps of a sign-in with Google, unless it is told to encrypt it. */
export const geminiCli: Reader = {
  name: 'gemini-cli',
  program: 'gemini',
  format: 'JSON',
  fits: endsIn('.gemini/oauth_creds.json'),
  places: (where) => [join(named(where, 'GEMINI_CLI_HOME') ?? where.home, '.gemini', 'oauth_creds.json')],
  read: (text) =>
    readJsonStrings(text)?.flatMap(({ path, value, line, start, end }): readonly Assignment[] => {
      const name = path.join('/');
      if (value === '' || !fields.includes(name)) return [];
      const place = { name, value, line, start, end, isReference: false, isSecret: true };
      return [{ ...place, section: name, agent: 'gemini-cli' }];
    }),
};
