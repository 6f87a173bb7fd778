import { type Assignment, decodeBase64, readBasicSecret, readIni } from '../syntax/index.ts';
import { endsIn, inHome, isReference, named, type Reader } from './reader.ts';

const key = /^(?:(\/\/.*):)?(_authToken|_auth|_password)$/;

/** The `.npmrc` of npm, pnpm and yarn: tokens by registry, as they are or in base64. */
export const npmrc: Reader = {
  name: 'npm',
  program: 'npm',
  fits: endsIn('.npmrc'),
  places: (where) => {
    const own = named(where, 'NPM_CONFIG_USERCONFIG');
    return [...(own === undefined ? [] : [own]), ...inHome(where, '.npmrc')];
  },
  read: (text) =>
    readIni(text).flatMap((entry): readonly Assignment[] => {
      const [, registry, name] = key.exec(entry.key) ?? [];
      if (name === undefined || entry.value === '') return [];
      const host = /^\/\/([^/:]+)/.exec(registry ?? '')?.[1]?.toLowerCase() ?? 'registry.npmjs.org';
      const { line, start, end } = entry;
      return [
        {
          name,
          ...secretIn(name, entry.value),
          line,
          start,
          end,
          isReference: isReference(entry.value),
          isSecret: true,
          section: registry ?? '',
          host,
        },
      ];
    }),
};

function secretIn(name: string, written: string): Pick<Assignment, 'value' | 'spell'> {
  if (name === '_auth') return readBasicSecret(written) ?? { value: written };
  const value = name === '_password' ? decodeBase64(written) : undefined;
  if (value === undefined) return { value: written };
  return { value, spell: (other) => Buffer.from(other).toString('base64') };
}
