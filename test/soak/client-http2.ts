import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
} from 'node:http2';
import { gunzipSync } from 'node:zlib';
import { eventOf, eventsIn, isBodyless } from './answer.ts';
import { checkEcho } from './client-http1.ts';
import { phantomField } from './keyring.ts';
import type { Entry, Plan } from './ledger.ts';
import { type Chance, Content, pause, room } from './payload.ts';
import { planHttp2, soakHosts } from './plan.ts';
import { type Environs, leave, openTunnel } from './tunnel.ts';
import { Broken, Malformed } from './wire.ts';

const bodySlice = 20_000;
const resetNoticeMs = 100;

/** One HTTP/2 client: many streams at once, some of them reset, some read slowly. */
export async function runHttp2(environs: Environs, chance: Chance, host: string): Promise<void> {
  const tunnel = await openTunnel(environs, host, 'h2');
  const session = connect(`https://${host}`, { createConnection: () => tunnel.tls });
  session.on('error', () => {});
  try {
    const lanes = 1 + chance.below(8);
    const perLane = 1 + chance.below(6);
    await Promise.all(
      Array.from({ length: lanes }, async () => {
        const own = chance.fork();
        for (let rest = perLane; rest > 0 && !session.destroyed && !session.closed; rest -= 1) {
          await environs.begin();
          if (session.destroyed || session.closed) return;
          await exchange(environs, own, session, host, tunnel.intercepted);
        }
      }),
    );
  } finally {
    session.destroy();
    leave(tunnel);
  }
}

async function exchange(
  environs: Environs,
  chance: Chance,
  session: ClientHttp2Session,
  host: string,
  intercepted: boolean,
): Promise<void> {
  const { ledger, keyring } = environs;
  const plan = planHttp2(chance, host, environs.nextNonce());
  const entry = ledger.begin(plan, intercepted);
  const stream = session.request(
    {
      ':method': plan.method,
      ':path': `/soak/${plan.nonce}`,
      [keyring.fieldFor(host)]: phantomField,
      ...(plan.kind === 'call' ? { 'content-type': 'application/grpc', te: 'trailers' } : {}),
    },
    { endStream: plan.requestFraming === 'none' },
  );
  stream.on('error', () => {});
  const spoils = chance.happens(0.06);
  const slow = chance.happens(0.1);
  if (spoils) {
    entry.spoilt = true;
    const timeouts = chance.below(30);
    void pause(timeouts).then(() => stream.close(constants.NGHTTP2_CANCEL));
  }
  const writing = write(stream, plan, chance);
  try {
    ledger.finish(entry, await read(environs, stream, plan, entry, slow, chance));
  } catch (error) {
    if (error instanceof Malformed)
      ledger.violation(`${plan.nonce} got an odd answer: ${error.message} ${JSON.stringify(entry)}`);
    else if (!(error instanceof Broken)) throw error;
    ledger.finish(entry, 'broken', error instanceof Error ? error.message : '');
  } finally {
    stream.close(constants.NGHTTP2_CANCEL);
    await writing;
  }
}

async function write(stream: ClientHttp2Stream, plan: Plan, chance: Chance): Promise<void> {
  if (plan.requestFraming === 'none') return;
  const content = new Content(`${plan.nonce} request`);
  while (content.position < plan.requestBytes) {
    if (stream.destroyed || stream.closed) return;
    const isRoom = stream.write(
      content.next(Math.min(1 + chance.below(bodySlice), plan.requestBytes - content.position)),
    );
    if (!isRoom) await room(stream);
  }
  if (!stream.destroyed && !stream.closed) stream.end();
}

async function read(
  environs: Environs,
  stream: ClientHttp2Stream,
  plan: Plan,
  entry: Entry,
  slow: boolean,
  chance: Chance,
): Promise<'whole' | 'problem'> {
  const { ledger } = environs;
  let trailers: IncomingHttpHeaders | undefined;
  stream.on('trailers', (fields: IncomingHttpHeaders) => {
    trailers = fields;
  });
  stream.on('headers', (fields: IncomingHttpHeaders) => {
    if (!String(fields.link).includes(plan.nonce))
      ledger.violation(`${plan.nonce} got the hint for another request`);
  });
  // All of it may come in one turn, before the code that waits for the head continues.
  const parts: Buffer[] = [];
  let headers: IncomingHttpHeaders = {};
  stream.on('response', (fields: IncomingHttpHeaders) => {
    headers = fields;
  });
  stream.on('data', (bytes: Buffer) => {
    parts.push(bytes);
    if (!slow || !chance.happens(0.3)) return;
    stream.pause();
    void pause(chance.below(40)).then(() => stream.resume());
  });
  await new Promise<void>((resolve) => {
    stream.once('close', resolve);
    // Node ends a stream that was reset like one that is complete, and tells of the reset later.
    stream.once('end', () => setTimeout(resolve, resetNoticeMs));
  });
  if (stream.aborted || stream.rstCode !== 0) throw new Broken(`the stream was reset: ${stream.rstCode}`);
  if (headers[':status'] === undefined) throw new Broken('the stream ended without an answer');
  const status = headers[':status'];
  const nonce = headers['x-nonce'];
  const isOurs = nonce === undefined;
  if (!isOurs && nonce !== plan.nonce) ledger.violation(`${plan.nonce} got the answer to ${nonce}`);
  const whole = Buffer.concat(parts);
  if (isOurs) {
    if (headers['content-type'] !== 'application/problem+json') throw new Malformed('an answer to nobody');
    const code =
      plan.method === 'HEAD' ? String(status) : (JSON.parse(whole.toString()) as { code: string }).code;
    ledger.refused(entry, code);
    return 'problem';
  }
  if (Number(status) === 401 && plan.host === soakHosts.refreshed) {
    ledger.count('401 that stood');
    if (entry.seen.at(-1)?.end !== 'unauthorized')
      ledger.violation(`${plan.nonce} got a 401 that was not given`);
    return 'whole';
  }
  if (Number(status) !== plan.status)
    ledger.violation(`${plan.nonce} got ${status} instead of ${plan.status}`);
  if (isBodyless(plan)) return 'whole';
  if (plan.echoes) {
    checkEcho(environs, plan, entry, textOf(whole, headers, entry));
  } else if (plan.kind === 'events') {
    const expected = Array.from({ length: eventsIn(plan) }, (_, index) => eventOf(plan, index)).join('');
    if (whole.toString() !== expected)
      throw new Malformed(`events came as ${whole.toString().slice(0, 200)}`);
  } else if (whole.length < plan.responseBytes && entry.seen.at(-1)?.end === 'harmed') {
    // Node's server ends a stream before it resets it.
    throw new Broken('cut off');
  } else if (!whole.equals(new Content(`${plan.nonce} answer`).next(plan.responseBytes))) {
    throw new Malformed(`the answer is not what was sent: ${whole.length} of ${plan.responseBytes} bytes`);
  }
  if (plan.kind === 'call' && (trailers?.['grpc-status'] !== '0' || trailers['x-end'] !== plan.nonce)) {
    throw new Malformed(`trailers came as ${JSON.stringify(trailers)}`);
  }
  return 'whole';
}

function textOf(whole: Buffer, headers: IncomingHttpHeaders, entry: Entry): string {
  try {
    return (headers['content-encoding'] === 'gzip' ? gunzipSync(whole) : whole).toString();
  } catch (error) {
    // Node's server ends a stream before it resets it.
    throw entry.seen.at(-1)?.end === 'harmed' ? new Broken('cut off') : error;
  }
}
