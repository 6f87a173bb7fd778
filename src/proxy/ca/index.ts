/**
 * One certificate authority a run: P-256, a day at most, constrained to the run's own hosts, with its keys in memory
 * only (RFC 5280). Certificates are written by a small DER writer; leaves are minted once per host.
 */
export { type CertificateAuthority, createCertificateAuthority } from './authority.ts';
export { createKeySupply } from './keys.ts';
