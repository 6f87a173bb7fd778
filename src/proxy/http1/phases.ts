import { Fault } from './fault.ts';

/** Where a client connection stands with the request that comes, or has come. */
export type RequestPhase = 'head' | 'authorizing' | 'connecting' | 'body' | 'sent' | 'draining' | 'over';
/** Where it stands with the response. */
export type ResponsePhase = 'none' | 'head' | 'renewing' | 'body' | 'finishing' | 'complete';

export const unexpectedSwitch = new Fault(
  '101 answers a request that asked for no upgrade (RFC 9110 §15.2.2)',
);
export const truncatedHead = new Fault('the connection ended in the middle of a request head (RFC 9112 §8)');
