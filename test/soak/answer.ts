import { gzipSync } from 'node:zlib';
import type { Plan } from './ledger.ts';
import { Content } from './payload.ts';

/** The text of an answer that begins with the credential that arrived. */
export function echoOf(plan: Plan, credential: string): string {
  const filler = new Content(`${plan.nonce} answer`).next(plan.responseBytes >> 1).toString('hex');
  return JSON.stringify({ nonce: plan.nonce, credential, filler });
}

/** The answer's body as the upstream sends it, in one piece. Echoes only; what is large is streamed. */
export function echoBytes(plan: Plan, credential: string): Buffer {
  const text = Buffer.from(echoOf(plan, credential));
  return plan.gzip ? gzipSync(text) : text;
}

export function eventOf(plan: Plan, index: number): string {
  return `id: ${index}\ndata: ${plan.nonce} ${index}\n\n`;
}

/** How many events there are in this answer. */
export function eventsIn(plan: Plan): number {
  return 1 + (plan.responseBytes % 20);
}

export function isBodyless(plan: Plan): boolean {
  return plan.method === 'HEAD' || plan.status === 204 || plan.status === 304;
}

/** The answer's fields besides those that frame it. */
export function answerFields(plan: Plan): readonly (readonly [string, string])[] {
  const type =
    plan.kind === 'events'
      ? 'text/event-stream'
      : plan.kind === 'call'
        ? 'application/grpc'
        : plan.echoes
          ? 'application/json'
          : 'application/octet-stream';
  return [
    ['x-nonce', plan.nonce],
    ['content-type', type],
    ...(plan.echoes && plan.gzip ? [['content-encoding', 'gzip'] as const] : []),
  ];
}
