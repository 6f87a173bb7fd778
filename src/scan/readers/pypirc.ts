import { readIni, secretsInUrls } from '../syntax/index.ts';
import { endsIn, inHome, isReference, type Reader } from './reader.ts';

const indexes: Readonly<Record<string, string>> = { pypi: 'upload.pypi.org', testpypi: 'test.pypi.org' };

/** The `.pypirc` of twine and others: passwords by package index. */
export const pypirc: Reader = {
  name: 'pypi',
  program: 'twine',
  fits: endsIn('.pypirc'),
  places: (where) => inHome(where, '.pypirc'),
  read: (text) => {
    const entries = readIni(text);
    const hostOf = (section: string): string | undefined => {
      const repository = entries.find((entry) => entry.section === section && entry.key === 'repository');
      const host = /^https?:\/\/(?:[^/@]*@)?([^/:]+)/.exec(repository?.value ?? '')?.[1];
      return host?.toLowerCase() ?? indexes[section];
    };
    return entries.flatMap(({ section, key, value, line, start, end }) => {
      const common = { line, isSecret: true, section: `${section} ${key}` };
      if (key === 'password' && value !== '') {
        const host = hostOf(section);
        return [{ ...common, name: key, value, start, end, isReference: isReference(value), host }];
      }
      return secretsInUrls(value).map((secret) => ({
        ...common,
        ...secret,
        name: key,
        start: start + secret.start,
        end: start + secret.end,
      }));
    });
  },
};
