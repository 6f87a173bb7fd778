/**
 * Content codings (RFC 9110 §8.4): which ones can be decoded here, which of them to ask for, and their decoders.
 */
export { readableCodings } from './accepted.ts';
export { decodedAtOnce, decoderOf, hasDecodedAll } from './codecs.ts';
export { type Coding, codingsOf } from './codings.ts';
