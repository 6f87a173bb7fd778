import { join } from 'node:path';
import { lineCounter, secretsInUrls } from '../syntax/index.ts';
import { configHome, endsIn, inHome, type Reader } from './reader.ts';

/** The file of git's credential helper `store`: one address with user and password a line (`git-credential-store`). */
export const gitCredentials: Reader = {
  name: 'git',
  program: 'git',
  fits: endsIn('.git-credentials', 'git/credentials'),
  places: (where) => [...inHome(where, '.git-credentials'), join(configHome(where), 'git', 'credentials')],
  read: (text) => {
    const lineOf = lineCounter(text);
    return secretsInUrls(text).map((secret) => ({
      name: 'password',
      ...secret,
      // The helper puts it there as it is.
      isReference: false,
      line: lineOf(secret.start),
      isSecret: true,
      section: String(secret.start),
    }));
  },
};
