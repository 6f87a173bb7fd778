import { connect, type Socket } from 'node:net';
import { AuthsomeError } from '../errors.ts';
import { fingerprintKey, fingerprintOf } from '../identity/index.ts';
import { parseJson } from '../json.ts';
import {
  type Call,
  type Endpoint,
  errorOf,
  interrupted,
  NotReached,
  type SignedCall,
  type Signer,
  senderFault,
  signCall,
  silent,
  unreadableResponse,
} from './exchange.ts';
import { createResponseReader, type ResponseHead, type ResponseReader } from './response-reader.ts';
import type { RunDocument, RunOpening, RunRequest } from './wire-runs.ts';

/** A run that this process opened. It lives until `close`, or until this process or the daemon ends. */
export interface RunLease {
  readonly run: RunDocument;
  /** Resolves when the run has ended, from whichever side. */
  readonly ended: Promise<void>;
  /** What happened in it so far that a person should know. */
  notices(): readonly string[];
  /** Why the daemon ended it, where it was for what happened in it. */
  stopped(): string | undefined;
  close(): void;
}

/**
 * The lease that the first line of the response to `POST /v1/runs` opens. Speaks HTTP/1.1 on a socket of its own: this
 * is the one call that every `authsome run` waits for, and the first request through `node:http` costs a process 5 ms.
 * Rejects as {@link send} does.
 */
export async function openLease(
  endpoint: Endpoint,
  signer: Signer,
  opening: RunOpening,
  idleMs: number,
): Promise<RunLease> {
  const { origin, secret } = endpoint;
  const body = runRequestOf(opening, endpoint, signer);
  const call: Call = { method: 'POST', target: '/v1/runs', body, idleMs };
  // First of all: the daemon accepts the connection while this process reads its key and signs.
  const socket = await socketTo(new URL(origin), endpoint.roots);
  let signed: SignedCall;
  try {
    signed = signCall(endpoint, signer, call);
  } catch (error) {
    socket.destroy();
    throw error;
  }
  const { url, headers } = signed;
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `POST ${url.pathname} HTTP/1.1\r\nhost: ${url.host}\r\n${lines.join('')}\r\n`;
  socket.write(Buffer.concat([Buffer.from(head, 'latin1'), signed.body]));

  const faultOf = ({ status, headers: received }: ResponseHead): Error | undefined =>
    senderFault(endpoint, headers.signature ?? '', status, (name) => received.get(name));
  return new Promise((resolve, reject) => {
    const reader = createResponseReader();
    const ended = new Promise<void>((resolveEnd) => socket.once('close', () => resolveEnd()));
    const fail = (error: Error): void => {
      reject(error);
      socket.destroy();
    };
    const read = (bytes: Buffer): void => {
      try {
        reader.push(bytes);
      } catch {
        fail(
          secret === undefined
            ? unreadableResponse(origin, reader.head?.status ?? 0)
            : new NotReached('stranger'),
        );
        return;
      }
      if (reader.head === undefined) return;
      const fault = faultOf(reader.head);
      if (fault !== undefined) fail(fault);
      else if (reader.head.status >= 300) {
        if (reader.isComplete) fail(refusal(reader, origin));
      } else if (reader.text.includes('\n')) {
        const run = parseJson(reader.text.slice(0, reader.text.indexOf('\n')));
        if (run === undefined) {
          fail(unreadableResponse(origin, reader.head.status));
          return;
        }
        // From here on, the lease is silent but for notices.
        socket.off('data', read).setTimeout(0);
        socket.on('data', (more) => {
          keep(reader, more);
          // The daemon has ended the run, and would keep the connection for another call.
          if (reader.isComplete) socket.destroy();
        });
        const notices = (): readonly string[] => linesIn(reader.text, 'notice');
        const stopped = (): string | undefined => linesIn(reader.text, 'stopped')[0];
        resolve({ run: run as RunDocument, ended, notices, stopped, close: () => socket.destroy() });
      }
    };
    socket.on('data', read);
    socket.once('close', () =>
      reject(reader.head === undefined ? interrupted(origin) : notBegun(reader, origin)),
    );
    // A daemon that dies later resets the connection; that is an end like any other.
    socket.on('error', (error: NodeJS.ErrnoException) =>
      reject(error.syscall === 'connect' ? new NotReached('absent') : interrupted(origin, error)),
    );
    socket.setTimeout(idleMs, () => fail(silent(origin, idleMs)));
  });
}

/** What is sent to ask for a run: fingerprints in place of the values. */
export function runRequestOf(
  { values, ...wanted }: RunOpening,
  { secret }: Pick<Endpoint, 'secret'>,
  signer: Signer,
): RunRequest {
  return { ...wanted, variables: fingerprintsOf(values, secret, signer) };
}

function fingerprintsOf(
  values: RunOpening['values'],
  secret: Uint8Array | undefined,
  { randomBytes }: Signer,
): RunRequest['variables'] {
  if (values.size === 0) return undefined;
  const salt = Buffer.from(randomBytes(16)).toString('base64url');
  const key = fingerprintKey(salt, secret);
  const fingerprints = [...values].map(([name, value]) => [name, fingerprintOf(key, value)]);
  return { salt, fingerprints: Object.fromEntries(fingerprints) };
}

/** What cannot be read is left out: the run goes on without it. */
function keep(reader: ResponseReader, bytes: Buffer): void {
  try {
    reader.push(bytes);
  } catch {
    // A response that has ended, or that breaks off.
  }
}

function linesIn(text: string, key: 'notice' | 'stopped'): readonly string[] {
  const lines = text.split('\n').slice(1, -1);
  return lines.flatMap((line) => {
    const { [key]: told } = (parseJson(line) ?? {}) as Readonly<Record<string, unknown>>;
    return typeof told === 'string' ? [told] : [];
  });
}

async function socketTo(url: URL, roots: readonly string[]): Promise<Socket> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (url.protocol === 'http:') return connect({ host, port: Number(url.port || 80), noDelay: true });
  const tls = await import('node:tls');
  return tls.connect({
    host,
    port: Number(url.port || 443),
    ALPNProtocols: ['http/1.1'],
    ...(/[a-z]/i.test(host) && !host.includes(':') ? { servername: host } : {}),
    ...(roots.length === 0 ? {} : { ca: [...roots] }),
  });
}

function refusal(reader: ResponseReader, origin: string): AuthsomeError {
  return errorOf(parseJson(reader.text)) ?? unreadableResponse(origin, reader.head?.status ?? 0);
}

/** The error for a response that the connection's end completes, or for a run that ended before it began. */
function notBegun(reader: ResponseReader, origin: string): AuthsomeError {
  if ((reader.head?.status ?? 0) >= 300) return refusal(reader, origin);
  return new AuthsomeError('DaemonUnavailable', `the daemon at ${origin} ended the run before it began`);
}
