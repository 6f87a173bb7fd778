import { join } from 'node:path';
import { type Assignment, readBasicSecret, readJsonStrings } from '../syntax/index.ts';
import { endsIn, inHome, named, type Reader } from './reader.ts';

const fields = ['auth', 'identitytoken', 'registrytoken', 'password'];

/** The `config.json` of Docker: passwords by registry, in base64, where no credential helper keeps them. */
export const docker: Reader = {
  name: 'docker',
  program: 'docker',
  caution:
    'Docker hands these passwords to its daemon, which is in no run: with phantoms, docker pull and docker push are refused.',
  format: 'JSON',
  fits: endsIn('.docker/config.json', '.dockercfg', 'containers/auth.json'),
  places: (where) => {
    const own = named(where, 'DOCKER_CONFIG');
    return own === undefined ? inHome(where, '.docker/config.json') : [join(own, 'config.json')];
  },
  read: (text) =>
    readJsonStrings(text)?.flatMap(({ path, value, line, start, end }): readonly Assignment[] => {
      const [field = '', registry = '', ...above] = [...path].reverse();
      if (above.length > 1 || (above[0] ?? 'auths') !== 'auths' || !fields.includes(field)) return [];
      if (value === '' || registry === '') return [];
      return [
        {
          name: field,
          ...((field === 'auth' ? readBasicSecret(value) : undefined) ?? { value }),
          line,
          start,
          end,
          isReference: false,
          isSecret: true,
          section: registry,
          host: hostOf(registry),
        },
      ];
    }),
};

/** A registry is named by its host, or by an address: `https://index.docker.io/v1/`. */
function hostOf(registry: string): string | undefined {
  return /^(?:https?:\/\/)?([^/:]+)/.exec(registry)?.[1]?.toLowerCase();
}
