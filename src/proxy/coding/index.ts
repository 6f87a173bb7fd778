/**
 * Content codings: which ones a body may have that is looked into, and their decoders and encoders (RFC 9110 §8.4).
 */
export { decodedAtOnce, decoderOf, hasUndoneAll } from './codecs.ts';
export { readableCodings, zstd } from './codings.ts';
