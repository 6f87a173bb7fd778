import { join } from 'node:path';
import { readIni, secretsInUrls } from '../syntax/index.ts';
import { configHome, desktopHomes, endsIn, inHome, named, type Reader } from './reader.ts';

/** The `pip.conf` of pip: passwords in the addresses of package indexes. */
export const pip: Reader = {
  name: 'pip',
  program: 'pip',
  fits: endsIn('pip.conf', 'pip/pip.ini'),
  places: (where) => {
    const own = named(where, 'PIP_CONFIG_FILE');
    return [
      ...(own === undefined ? [] : [own]),
      join(configHome(where), 'pip', 'pip.conf'),
      ...desktopHomes(where).flatMap((directory) => [
        join(directory, 'pip', 'pip.conf'),
        join(directory, 'pip', 'pip.ini'),
      ]),
      ...inHome(where, '.pip/pip.conf'),
    ];
  },
  read: (text) =>
    readIni(text).flatMap(({ key, value, line, start }) =>
      secretsInUrls(value).map((secret) => ({
        name: key,
        ...secret,
        line,
        start: start + secret.start,
        end: start + secret.end,
        isSecret: true,
        section: String(start + secret.start),
      })),
    ),
};
