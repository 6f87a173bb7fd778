import { generateKeyPairSync, type KeyObject } from 'node:crypto';

/** A P-256 key pair. The public key is a SubjectPublicKeyInfo in DER, as in certificates. */
export interface KeyPair {
  readonly publicKey: Uint8Array;
  readonly privateKey: KeyObject;
}

/** The keys of one run's authority. */
export interface AuthorityKeys {
  readonly ca: KeyPair;
  readonly leaf: KeyPair;
}

/** Supplies keys, each pair only once. */
export interface KeySupply {
  take(): AuthorityKeys;
}

/** Time for the run that was just opened to start. */
const pauseMs = 50;

/** A supply that keeps one set ready in memory, so that no run waits for keys. */
export function createKeySupply(): KeySupply {
  let ready: AuthorityKeys | undefined;
  const prepareSoon = (): void => {
    setTimeout(() => {
      ready ??= generateKeys();
    }, pauseMs).unref();
  };
  prepareSoon();
  return {
    take() {
      const keys = ready ?? generateKeys();
      ready = undefined;
      prepareSoon();
      return keys;
    },
  };
}

export function generateKeys(): AuthorityKeys {
  return { ca: generateKeyPair(), leaf: generateKeyPair() };
}

export function generateKeyPair(): KeyPair {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  return { publicKey: publicKey.export({ type: 'spki', format: 'der' }), privateKey };
}
