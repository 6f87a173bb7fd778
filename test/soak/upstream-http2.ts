import {
  constants,
  type IncomingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { answerFields, echoBytes, eventOf, eventsIn, isBodyless } from './answer.ts';
import type { Attempt, Entry, Fate, Plan } from './ledger.ts';
import { Content, pause, room } from './payload.ts';
import type { UpstreamContext } from './upstream.ts';

const blockBytes = 16 * 1024;
const resetNoticeMs = 100;

/** The HTTP/2 side of the upstream: as the other one, with streams that are reset instead of connections. */
export function serveSession(tls: TLSSocket, raw: Socket, context: UpstreamContext): void {
  Object.assign(tls, { secureConnecting: false });
  const session = performServerHandshake(tls, { settings: { maxConcurrentStreams: 200 } });
  const open = new Map<Attempt, Entry>();
  session.on('error', () => {});
  // Node's HTTP/2 itself does not notice the end of a connection that may be half open.
  tls.on('end', () => session.destroy(undefined, constants.NGHTTP2_CANCEL));
  // What was written has to get through first.
  session.on('close', () => setTimeout(() => raw.destroy(), 2_000).unref());
  session.on('stream', (stream, headers) => {
    stream.on('error', () => {});
    meet(session, tls, raw, stream, headers, open, context).catch((error: unknown) => {
      if (!(error instanceof Gone || stream.destroyed))
        context.ledger.violation(`the upstream failed: ${String(error)}`);
      stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    });
  });
}

class Gone extends Error {}

async function meet(
  session: ServerHttp2Session,
  tls: TLSSocket,
  raw: Socket,
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  open: Map<Attempt, Entry>,
  context: UpstreamContext,
): Promise<void> {
  const { ledger, keyring } = context;
  const nonce = /^\/soak\/([\w-]+)$/.exec(headers[':path'] ?? '')?.[1] ?? '';
  // Node's client names the port when it was given a socket.
  const host = (headers[':authority'] ?? '').replace(/:443$/, '');
  const value = headers[keyring.fieldFor(host)];
  const credential = value === undefined ? [] : [value].flat();
  if (headers['proxy-authorization'] !== undefined)
    ledger.violation(`${nonce} carried the proxy's credentials on`);
  const text = JSON.stringify(headers);
  if (keyring.foreignTo(host).some((secret) => text.includes(secret))) {
    ledger.violation(`${nonce} carried a secret of another host to ${host}`);
  }
  const arrival = ledger.arrived(nonce, host, credential, 0);
  if (arrival === undefined) throw new Gone();
  const { entry, attempt } = arrival;
  open.set(attempt, entry);
  try {
    const { plan } = entry;
    if (context.isStale(host, credential[0] ?? '')) {
      await readBody(stream, entry, context);
      ledger.left(nonce, attempt, 'unauthorized');
      stream.respond({
        ':status': 401,
        'x-nonce': nonce,
        'www-authenticate': 'Bearer error="invalid_token"',
      });
      stream.end(plan.method === 'HEAD' ? undefined : 'a stale token');
      return;
    }
    const fate: Fate = entry.seen.some(({ end }) => end === 'harmed') ? 'answer' : plan.fate;
    if (fate === 'break the session') {
      // What the client has not got in full by now may be lost with the connection.
      for (const [other, { outcome }] of open) if (outcome === undefined) other.end = 'harmed';
      keyring.disturb(host);
      session.destroy();
      tls.destroy();
      raw.destroy();
      return;
    }
    if (fate === 'reset at the head') {
      harm(stream, attempt);
      return;
    }
    const reading = readBody(stream, entry, context);
    reading.catch(() => {});
    if (fate !== 'answer early') await reading;
    if (fate === 'stall') await pause(20 + (plan.responseBytes % 400));
    if (fate === 'reset before the answer' || fate === 'reset in the head') {
      harm(stream, attempt);
      return;
    }
    if (fate === 'hint first') stream.additionalHeaders({ ':status': 103, link: `</${nonce}>; rel=preload` });
    if (!(await answer(stream, plan, fate, attempt, credential[0] ?? ''))) return;
    await reading;
    ledger.left(nonce, attempt, 'answered');
    if (fate === 'go away') session.close();
  } finally {
    ledger.left(nonce, attempt, 'lost');
    for (const [other, { outcome }] of open) if (outcome !== undefined) open.delete(other);
  }
}

function harm(stream: ServerHttp2Stream, attempt: Attempt): void {
  attempt.end = 'harmed';
  stream.close(constants.NGHTTP2_INTERNAL_ERROR);
}

async function readBody(stream: ServerHttp2Stream, entry: Entry, { ledger }: UpstreamContext): Promise<void> {
  const { plan } = entry;
  const content = new Content(`${plan.nonce} request`);
  stream.on('data', (bytes: Buffer) => {
    if (!content.matches(bytes)) ledger.violation(`the body of ${plan.nonce} arrived changed`);
  });
  await new Promise<void>((resolve, reject) => {
    stream.on('end', resolve);
    stream.on('close', () => reject(new Gone()));
  });
  if (content.position === plan.requestBytes) return;
  // Node ends a stream that was reset like one that is complete, and tells of the reset later.
  await pause(resetNoticeMs);
  if (stream.aborted || stream.rstCode !== 0) throw new Gone();
  // Node's client ends a stream before it resets it, also once it has its answer.
  if (!entry.spoilt && entry.outcome === undefined) {
    ledger.violation(
      `the body of ${plan.nonce} for ${plan.host} looked complete with ${content.position} of ${plan.requestBytes} bytes`,
    );
  }
}

/** False when it broke off. */
async function answer(
  stream: ServerHttp2Stream,
  plan: Plan,
  fate: Fate,
  attempt: Attempt,
  credential: string,
): Promise<boolean> {
  const whole = plan.echoes ? echoBytes(plan, credential) : undefined;
  const length = whole?.length ?? plan.responseBytes;
  if (stream.destroyed) throw new Gone();
  stream.respond(
    {
      ':status': plan.status,
      ...Object.fromEntries(answerFields(plan)),
      ...(plan.responseFraming === 'length' ? { 'content-length': length } : {}),
    },
    { waitForTrailers: plan.kind === 'call', endStream: isBodyless(plan) },
  );
  if (isBodyless(plan)) return true;
  stream.on('wantTrailers', () => {
    if (!stream.destroyed && !stream.closed) stream.sendTrailers({ 'grpc-status': '0', 'x-end': plan.nonce });
  });
  const send = async (bytes: Buffer): Promise<void> => {
    if (stream.destroyed || stream.closed) throw new Gone();
    if (!stream.write(bytes)) await room(stream);
  };
  if (plan.kind === 'events') {
    for (let index = 0; index < eventsIn(plan); index += 1) {
      await send(Buffer.from(eventOf(plan, index)));
      if (index % 3 === 0) await pause(plan.responseBytes % 7);
    }
  } else {
    const breaks = fate === 'reset in the body' || fate === 'end in the body';
    const stop = breaks ? (plan.responseBytes * 7) % Math.max(1, length) : length;
    const content = new Content(`${plan.nonce} answer`);
    const step = fate === 'dribble' ? Math.max(1, Math.ceil(length / 12)) : blockBytes;
    for (let at = 0; at < stop; at += step) {
      const size = Math.min(step, stop - at);
      await send(whole?.subarray(at, at + size) ?? content.next(size));
      if (fate === 'dribble') await pause(3);
    }
    if (breaks) {
      harm(stream, attempt);
      return false;
    }
  }
  stream.end();
  return true;
}
