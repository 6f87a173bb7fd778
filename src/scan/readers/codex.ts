import { join } from 'node:path';
import { type Assignment, readJsonStrings } from '../syntax/index.ts';
import { endsIn, named, type Reader } from './reader.ts';

const fields = ['access_token', 'refresh_token', 'id_token'];

/** The `auth.json` of Codex: a key of OpenAI's API, or what it keeps of its own sign-in. */
export const codex: Reader = {
  name: 'codex',
  program: 'codex',
  format: 'JSON',
  fits: endsIn('.codex/auth.json'),
  places: (where) => [join(named(where, 'CODEX_HOME') ?? join(where.home, '.codex'), 'auth.json')],
  read: (text) =>
    readJsonStrings(text)?.flatMap(({ path, value, line, start, end }): readonly Assignment[] => {
      const name = path.at(-1) ?? '';
      const isToken = path[0] === 'tokens' && fields.includes(name);
      if (value === '' || (!isToken && name !== 'OPENAI_API_KEY')) return [];
      const place = { name, value, line, start, end, isReference: false, isSecret: true };
      return [{ ...place, section: path.join('/'), ...(isToken ? { agent: 'codex' } : {}) }];
    }),
};
