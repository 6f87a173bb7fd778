/**
 * HTTP/1.1 without sockets: strict head parsing, the framing of bodies, and a machine that pairs each request on a
 * connection with its response, as events in and actions out (RFC 9110, RFC 9112).
 */
export { Accumulator } from './accumulator.ts';
export { type Authority, hostHeaderOf, parseAuthority, parseTarget, type Target } from './authority.ts';
export { Body, isForbiddenTrailer } from './body.ts';
export { chunkOf, lastChunk, withoutLines } from './chunk.ts';
export { Fault } from './fault.ts';
export {
  Field,
  isMethodOverride,
  isPathOverride,
  joinedValue,
  lineEndAt,
  stride,
  valueAt,
} from './fields.ts';
export { hopByHopInHttp2, hopByHopInRequest } from './hop-by-hop.ts';
export { RequestResponseMachine } from './machine.ts';
export type {
  Content,
  Cut,
  Failure,
  LocalReply,
  MachinePort,
  Plan,
  ResponseScrub,
  ResponseTransform,
  TransformOutlet,
} from './port.ts';
export { looksLikeRequest, parseRequestHead, type RequestHead, withContentLength } from './request.ts';
export { type ResponseHead, rewriteResponseHead } from './response.ts';
