/**
 * One certificate authority for each run: P-256, valid for a day at most, constrained to the run's hosts, its keys only in
 * memory (RFC 5280). A small DER writer writes the certificates; each host's leaf is minted once.
 */
export { type CertificateAuthority, createCertificateAuthority } from './authority.ts';
export { createKeySupply } from './keys.ts';
