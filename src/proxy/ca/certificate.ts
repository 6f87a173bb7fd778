import { createHash, type KeyObject, sign } from 'node:crypto';
import {
  bitString,
  boolean,
  constructed,
  objectIdentifier,
  octetString,
  pem,
  positiveInteger,
  primitive,
  sequence,
  set,
  time,
  utf8String,
} from './der.ts';
import type { KeyPair } from './keys.ts';

const ecdsaWithSha256 = sequence(objectIdentifier('1.2.840.10045.4.3.2'));
const organization = objectIdentifier('2.5.4.10');
const commonName = objectIdentifier('2.5.4.3');
const serverAuth = objectIdentifier('1.3.6.1.5.5.7.3.1');

const Extension = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
} as const;

/** The hosts that a CA may certify: DNS names, each with its subdomains, and single addresses. */
export interface NameConstraints {
  readonly dnsNames: readonly string[];
  /** Each has 4 or 16 bytes. */
  readonly addresses: readonly Uint8Array[];
}

interface Validity {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

export interface CaRequest extends Validity, KeyPair {
  readonly name: string;
  readonly serial: Uint8Array;
  readonly constraints: NameConstraints;
}

export interface LeafRequest extends Validity {
  readonly host: { readonly dnsName: string } | { readonly address: Uint8Array };
  readonly publicKey: KeyPair['publicKey'];
  readonly issuer: KeyPair & { readonly name: string };
  readonly serial: Uint8Array;
}

function distinguishedName(name: string): Buffer {
  return sequence(
    set(sequence(organization, utf8String('authsome'))),
    set(sequence(commonName, utf8String(name))),
  );
}

/** SHA-1 of the public key's bits (RFC 5280 §4.2.1.2, method 1): a name for the key, not a proof. */
function keyIdentifier(publicKey: Uint8Array): Buffer {
  const point = publicKey.subarray(-65);
  return createHash('sha1').update(point).digest();
}

function extension(identifier: string, critical: boolean, value: Uint8Array): Buffer {
  const parts = critical ? [boolean(true)] : [];
  return sequence(objectIdentifier(identifier), ...parts, octetString(value));
}

/** RFC 5280 §4.2.1.10. A kind of name without permitted names is excluded entirely: if omitted, it would be unrestricted. */
function nameConstraints(constraints: NameConstraints): Buffer {
  const permitted = [
    ...constraints.dnsNames.map((name) => sequence(primitive(2, Buffer.from(name, 'latin1')))),
    ...constraints.addresses.map((address) =>
      sequence(primitive(7, Buffer.concat([address, Buffer.alloc(address.length, 0xff)]))),
    ),
  ];
  const hasVersion = (size: number) => constraints.addresses.some((address) => address.length === size);
  const excluded = [
    ...(constraints.dnsNames.length === 0 ? [sequence(primitive(2, Buffer.alloc(0)))] : []),
    ...(hasVersion(4) ? [] : [sequence(primitive(7, Buffer.alloc(8)))]),
    ...(hasVersion(16) ? [] : [sequence(primitive(7, Buffer.alloc(32)))]),
  ];
  return sequence(
    ...(permitted.length === 0 ? [] : [constructed(0, ...permitted)]),
    ...(excluded.length === 0 ? [] : [constructed(1, ...excluded)]),
  );
}

function certificate(
  fields: Validity & {
    readonly serial: Uint8Array;
    readonly issuer: Uint8Array;
    readonly subject: Uint8Array;
    readonly publicKey: Uint8Array;
    readonly extensions: readonly Uint8Array[];
  },
  signingKey: KeyObject,
): Buffer {
  const toBeSigned = sequence(
    constructed(0, positiveInteger(Buffer.from([2]))),
    positiveInteger(fields.serial),
    ecdsaWithSha256,
    fields.issuer,
    sequence(time(fields.notBeforeMs), time(fields.notAfterMs)),
    fields.subject,
    fields.publicKey,
    constructed(3, sequence(...fields.extensions)),
  );
  return sequence(toBeSigned, ecdsaWithSha256, bitString(sign('sha256', toBeSigned, signingKey)));
}

/** A self-signed CA in PEM, which signs no further CA, and only the hosts of its constraints. */
export function makeCa(request: CaRequest): string {
  const name = distinguishedName(request.name);
  const identifier = keyIdentifier(request.publicKey);
  const extensions = [
    extension(Extension.basicConstraints, true, sequence(boolean(true), positiveInteger(Buffer.from([0])))),
    // keyCertSign only: bit 5.
    extension(Extension.keyUsage, true, bitString(Buffer.from([0x04]), 2)),
    extension(Extension.nameConstraints, true, nameConstraints(request.constraints)),
    extension(Extension.subjectKeyIdentifier, false, octetString(identifier)),
    extension(Extension.authorityKeyIdentifier, false, sequence(primitive(0, identifier))),
  ];
  const der = certificate({ ...request, issuer: name, subject: name, extensions }, request.privateKey);
  return pem('CERTIFICATE', der);
}

/** A server certificate for one host in PEM, signed by the CA. */
export function makeLeaf(request: LeafRequest): string {
  const { issuer, host } = request;
  const alternative =
    'dnsName' in host ? primitive(2, Buffer.from(host.dnsName, 'latin1')) : primitive(7, host.address);
  const extensions = [
    extension(Extension.basicConstraints, true, sequence()),
    // digitalSignature only: bit 0.
    extension(Extension.keyUsage, true, bitString(Buffer.from([0x80]), 7)),
    extension(Extension.extendedKeyUsage, false, sequence(serverAuth)),
    extension(Extension.subjectAltName, false, sequence(alternative)),
    extension(Extension.subjectKeyIdentifier, false, octetString(keyIdentifier(request.publicKey))),
    extension(
      Extension.authorityKeyIdentifier,
      false,
      sequence(primitive(0, keyIdentifier(issuer.publicKey))),
    ),
  ];
  const subject = distinguishedName('intercepted for this run');
  const der = certificate(
    { ...request, issuer: distinguishedName(issuer.name), subject, extensions },
    issuer.privateKey,
  );
  return pem('CERTIFICATE', der);
}
