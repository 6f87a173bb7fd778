import { Fault } from './fault.ts';

/** The state of the request that a client connection is receiving, or has received. */
export type RequestPhase =
  | 'head'
  | 'authorizing'
  | 'collecting'
  | 'connecting'
  | 'body'
  | 'sent'
  | 'draining'
  | 'finished';
/** The state of its response. */
export type ResponsePhase = 'none' | 'head' | 'renewing' | 'body' | 'finishing' | 'complete';

export const unexpectedSwitch = new Fault(
  '101 answers a request that asked for no upgrade (RFC 9110 §15.2.2)',
);
export const truncatedHead = new Fault(
  'the connection ended before the request head was complete (RFC 9112 §8)',
);

/** Tells a client to send the content that it waits with (RFC 9110 §15.2.1). */
export const goOn = Buffer.from('HTTP/1.1 100 Continue\r\n\r\n');
/** The plan's search has found something in the body. */
export const misplaced = { kind: 'misplaced' } as const;
export const nothing = Buffer.alloc(0);
