import { createHash } from 'node:crypto';

/**
 * The phantoms that runs were given since the daemon started, ended runs included: a phantom that a person or an agent
 * copied must not become a credential later. Remembered by hash, the latest of them.
 */
export interface GivenPhantoms {
  add(phantom: string): void;
  has(value: string): boolean;
}

const most = 10_000;

export function createGivenPhantoms(): GivenPhantoms {
  const given = new Set<string>();
  const hashOf = (value: string): string => createHash('sha256').update(value).digest('base64url');
  return {
    add(phantom) {
      given.add(hashOf(phantom));
      const [oldest] = given;
      if (given.size > most && oldest !== undefined) given.delete(oldest);
    },
    has: (value) => given.has(hashOf(value)),
  };
}
