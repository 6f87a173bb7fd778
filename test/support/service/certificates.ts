import { webcrypto } from 'node:crypto';
import { Integer, Utf8String } from 'asn1js';
import {
  AltName,
  AttributeTypeAndValue,
  BasicConstraints,
  Certificate,
  CryptoEngine,
  Extension,
  GeneralName,
} from 'pkijs';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256' } as const;
type EngineOptions = ConstructorParameters<typeof CryptoEngine>[0];
type EngineKey = Parameters<Certificate['sign']>[0];

// Node's WebCrypto and the DOM's are one interface under two type names.
const engine = new CryptoEngine({ name: 'node', crypto: webcrypto } as unknown as EngineOptions);
const dayMs = 86_400_000;

const oids = { commonName: '2.5.4.3', altName: '2.5.29.17', basicConstraints: '2.5.29.19' } as const;

export interface ServerCertificate {
  readonly certPem: string;
  readonly keyPem: string;
}

/** A certificate authority that lives as long as this value: its key is never written anywhere. */
export interface ThrowawayCa {
  readonly caPem: string;
  /** A certificate for these DNS names, with its key, both PEM; one day long. */
  issue(names: readonly string[]): Promise<ServerCertificate>;
}

export async function createThrowawayCa(commonName: string): Promise<ThrowawayCa> {
  const caKeys = await newKeys();
  const caCertificate = await sign({
    subject: commonName,
    issuer: commonName,
    publicKey: caKeys.publicKey,
    signingKey: caKeys.privateKey,
    extension: critical(oids.basicConstraints, new BasicConstraints({ cA: true, pathLenConstraint: 0 })),
  });
  return {
    caPem: pem('CERTIFICATE', caCertificate),
    async issue(names) {
      const keys = await newKeys();
      const certificate = await sign({
        subject: names[0] ?? commonName,
        issuer: commonName,
        publicKey: keys.publicKey,
        signingKey: caKeys.privateKey,
        extension: new Extension({
          extnID: oids.altName,
          extnValue: new AltName({
            altNames: names.map((name) => new GeneralName({ type: 2, value: name })),
          })
            .toSchema()
            .toBER(),
        }),
      });
      const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
      return { certPem: pem('CERTIFICATE', certificate), keyPem: pem('PRIVATE KEY', key) };
    },
  };
}

interface Signing {
  readonly subject: string;
  readonly issuer: string;
  readonly publicKey: webcrypto.CryptoKey;
  readonly signingKey: webcrypto.CryptoKey;
  readonly extension: Extension;
}

async function sign(options: Signing): Promise<ArrayBuffer> {
  const certificate = new Certificate();
  certificate.version = 2;
  const serial = webcrypto.getRandomValues(new Uint8Array(16));
  // The first byte between 0x40 and 0x7f: positive and minimal in DER.
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  certificate.serialNumber = new Integer({ valueHex: serial.buffer });
  certificate.subject.typesAndValues.push(name(options.subject));
  certificate.issuer.typesAndValues.push(name(options.issuer));
  certificate.notBefore.value = new Date(Date.now() - dayMs);
  certificate.notAfter.value = new Date(Date.now() + dayMs);
  certificate.extensions = [options.extension];
  await certificate.subjectPublicKeyInfo.importKey(options.publicKey as EngineKey, engine);
  await certificate.sign(options.signingKey as EngineKey, 'SHA-256', engine);
  return certificate.toSchema(true).toBER(false);
}

function critical(extnID: string, value: BasicConstraints): Extension {
  return new Extension({ extnID, critical: true, extnValue: value.toSchema().toBER() });
}

function name(commonName: string): AttributeTypeAndValue {
  return new AttributeTypeAndValue({ type: oids.commonName, value: new Utf8String({ value: commonName }) });
}

async function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}

function pem(label: string, der: ArrayBuffer): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
