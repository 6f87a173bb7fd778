/**
 * WebSocket messages in passing (RFC 6455), without sockets: what a client sends is searched, and the text of one whole
 * message may be replaced. Frames without a find pass as they came.
 */
export { ClientFrames, type MessageRules, maxMessageBytes, type Placed, type Stop } from './client-frames.ts';
export { closeFrame, closeReason, FrameBoundary } from './server-frames.ts';
