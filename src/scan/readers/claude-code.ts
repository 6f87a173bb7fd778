import { join } from 'node:path';
import { type Assignment, readJsonStrings } from '../syntax/index.ts';
import { endsIn, named, type Reader } from './reader.ts';

const fields = ['accessToken', 'refreshToken', 'clientSecret'];

/** What Claude Code keeps of its own sign-in, and of its sign-ins to MCP servers, where no keychain is. */
export const claudeCode: Reader = {
  name: 'claude-code',
  program: 'claude',
  format: 'JSON',
  fits: endsIn('.claude/.credentials.json'),
  places: (where) => [
    join(named(where, 'CLAUDE_CONFIG_DIR') ?? join(where.home, '.claude'), '.credentials.json'),
  ],
  read: (text) =>
    readJsonStrings(text)?.flatMap(({ path, value, line, start, end }): readonly Assignment[] => {
      const name = path.at(-1) ?? '';
      if (!fields.includes(name) || value === '') return [];
      const place = { name, value, line, start, end, isReference: false, isSecret: true };
      return [{ ...place, section: path.join('/'), agent: 'claude-code' }];
    }),
};
