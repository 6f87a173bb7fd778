import type { Agent, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { AuthsomeError, isErrorCode } from '../errors.ts';
import {
  homeProof,
  homeProofHeader,
  type Identity,
  proofHeader,
  proofMatches,
  signRequest,
} from '../identity/index.ts';
import { parseJson } from '../json.ts';

/** Where calls go. */
export interface Endpoint {
  readonly origin: string;
  /** The secret of this home's daemon; `undefined` for a hosted one, which TLS vouches for. */
  readonly secret: Uint8Array | undefined;
  /** Further roots for a hosted daemon, as PEM. */
  readonly roots: readonly string[];
}

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Path and query. */
  readonly target: string;
  /** Written as JSON. */
  readonly body?: unknown;
  /** Silence for so long ends the call; `undefined` waits for ever. */
  readonly idleMs: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How this caller signs. */
export interface Signer {
  readonly identity: Identity;
  readonly now: () => number;
  readonly randomBytes: (size: number) => Uint8Array;
}

/** Who turned out to be at the other end. */
export type Unanswered = 'absent' | 'stranger';

/** Nobody answered, or someone who is not the daemon of this home: nothing was done, and another try is safe. */
export class NotAnswered extends Error {
  readonly who: Unanswered;

  constructor(who: Unanswered) {
    super(who);
    this.who = who;
  }
}

interface SendOptions {
  readonly agent?: Agent;
  /** The body goes out on this very socket or not at all. */
  readonly onlyOn?: Socket;
}

/** A call as it goes on the wire. */
export interface SignedCall {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Empty when there is none. */
  readonly body: Buffer;
}

export function signCall({ origin, secret }: Endpoint, signer: Signer, call: Call): SignedCall {
  const { method } = call;
  // Signed as it will be on the wire: the parser of URLs spells some characters in its own way.
  const url = new URL(origin + call.target);
  const target = url.pathname + url.search;
  const body = call.body === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(call.body));
  const nonce = Buffer.from(signer.randomBytes(16)).toString('base64url');
  const signed = signRequest(
    signer.identity,
    { method, origin, target, body },
    { nowMs: signer.now(), nonce },
  );
  const headers = {
    accept: 'application/json',
    ...(body.length === 0 ? {} : { 'content-type': 'application/json' }),
    ...(method === 'GET' ? {} : { 'content-length': String(body.length) }),
    ...signed,
    ...(secret === undefined ? {} : { [homeProofHeader]: homeProof(secret, signed.signature ?? '') }),
  };
  return { url, headers, body };
}

/**
 * The head of the answer to a signed call, its body still to be read, with the daemon's proof checked. Rejects with
 * {@link NotAnswered}, or with `DaemonUnavailable` when the call may have been seen but was not answered.
 */
export async function send(
  endpoint: Endpoint,
  signer: Signer,
  call: Call,
  { agent, onlyOn }: SendOptions = {},
): Promise<IncomingMessage> {
  const { origin, secret, roots } = endpoint;
  const { method, idleMs, signal } = call;
  const { url, headers, body } = signCall(endpoint, signer, call);
  const isSecure = origin.startsWith('https:');
  const { request: makeRequest } = isSecure ? await import('node:https') : await import('node:http');
  const options = {
    method,
    headers,
    ...(agent === undefined ? { agent: false as const } : { agent }),
    ...(signal === undefined ? {} : { signal }),
    ...(roots.length === 0 ? {} : { ca: [...roots] }),
  };

  return new Promise((resolve, reject) => {
    const request = makeRequest(url, options, (response) => {
      const proof = response.headers[proofHeader];
      const isProven =
        secret === undefined ||
        (typeof proof === 'string' && proofMatches(secret, headers.signature ?? '', proof));
      if (isProven) {
        resolve(response);
      } else {
        response.destroy();
        reject(new NotAnswered('stranger'));
      }
    });
    request.on('error', (error: NodeJS.ErrnoException) => {
      if (signal?.aborted === true) reject(cancelled());
      else if (error instanceof AuthsomeError || error instanceof NotAnswered) reject(error);
      else if (isRepeatable(error, method, isSecure)) reject(new NotAnswered('absent'));
      else reject(interrupted(origin, error));
    });
    if (idleMs !== undefined) {
      request.setTimeout(idleMs, () => request.destroy(silent(origin, idleMs)));
    }
    if (onlyOn === undefined) {
      request.end(body);
      return;
    }
    request.once('socket', (socket) => {
      if (socket === onlyOn) request.end(body);
      else request.destroy(new NotAnswered('stranger'));
    });
  });
}

/**
 * Whether a call may be made again: the connection failed before any byte of it was sent, or it only asks and the
 * daemon died under it.
 */
function isRepeatable(error: NodeJS.ErrnoException, method: Call['method'], isSecure: boolean): boolean {
  if (isSecure) return false;
  return error.syscall === 'connect' || (method === 'GET' && error.code === 'ECONNRESET');
}

/** The parsed JSON of an answer; an error document becomes the AuthsomeError that it was. */
export async function readDocument(response: IncomingMessage, origin: string): Promise<unknown> {
  const text = await readText(response, origin);
  const status = response.statusCode ?? 0;
  const document = parseJson(text);
  if (status >= 200 && status < 300 && document !== undefined) return document;
  throw errorOf(document) ?? strange(origin, status);
}

/** The body of an answer, as text. */
export async function readText(response: IncomingMessage, origin: string): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of response) chunks.push(chunk as Buffer);
  } catch (error) {
    if (error instanceof Error && error.name === 'AbortError') throw cancelled();
    throw interrupted(origin, error);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The error that an error document stands for; `undefined` when it is not one. */
export function errorOf(document: unknown): AuthsomeError | undefined {
  if (typeof document !== 'object' || document === null) return undefined;
  const { error, message, hint } = document as Readonly<Record<string, unknown>>;
  if (!isErrorCode(error) || typeof message !== 'string') return undefined;
  return new AuthsomeError(error, message, typeof hint === 'string' ? { hint } : {});
}

function cancelled(): AuthsomeError {
  return new AuthsomeError('Cancelled', 'the call to the daemon was cancelled');
}

export function interrupted(origin: string, cause?: unknown): AuthsomeError {
  return new AuthsomeError('DaemonUnavailable', `the connection to the daemon at ${origin} broke`, { cause });
}

export function silent(origin: string, idleMs: number): AuthsomeError {
  const seconds = Math.round(idleMs / 1000);
  return new AuthsomeError(
    'DaemonUnavailable',
    `the daemon at ${origin} gave no answer for ${seconds} seconds`,
    { hint: 'Run: authsome daemon restart' },
  );
}

export function strange(origin: string, status: number): AuthsomeError {
  return new AuthsomeError(
    'DaemonUnavailable',
    `the daemon at ${origin} gave an answer that cannot be read (status ${status})`,
  );
}
