import type { Agent, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { AuthsomeError, isErrorCode } from '../errors.ts';
import {
  contentDigest,
  homeProof,
  homeProofHeader,
  type Identity,
  pidHeader,
  proofHeader,
  proofMatches,
  runHeader,
  type Sender,
  senderOf,
  signRequest,
} from '../identity/index.ts';
import { parseJson } from '../json.ts';

/** Where calls go. */
export interface Endpoint {
  readonly origin: string;
  /** The secret of this home's daemon; `undefined` for a hosted one. */
  readonly secret: Uint8Array | undefined;
  /** What is known of a hosted daemon. Without this and a secret, anybody may respond. */
  readonly hosted?: HostedDaemon | undefined;
  /** Further roots for a hosted daemon, as PEM. */
  readonly roots: readonly string[];
}

export interface HostedDaemon {
  /** The start of it that calls are for; `undefined` before it has named one. */
  readonly instance: string | undefined;
  /** Why the sender of a response is not that daemon; `undefined` when it is. */
  readonly faultOf: (sender: Sender | undefined) => Error | undefined;
}

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Path and query. */
  readonly target: string;
  /** Written as JSON. */
  readonly body?: unknown;
  /** Silence for this long ends the call; `undefined` waits forever. */
  readonly idleMs: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How this caller signs. */
export interface Signer {
  readonly identity: Identity;
  /** Of this process; a daemon on this machine finds the process behind the call sooner with it. */
  readonly pid?: number | undefined;
  /** The run that this process belongs to, if any. */
  readonly run?: string | undefined;
  readonly now: () => number;
  readonly randomBytes: (size: number) => Uint8Array;
}

/** What is at the other end instead of the daemon. */
export type Unreached = 'absent' | 'stranger' | 'restarted';

/** The call reached no process, or one that is not the daemon it is for. Nothing was done, and another try is safe. */
export class NotReached extends Error {
  readonly who: Unreached;

  constructor(who: Unreached) {
    super(who);
    this.who = who;
  }
}

interface SendOptions {
  readonly agent?: Agent;
  /** The body is sent on this socket or not at all. */
  readonly onlyOn?: Socket;
}

/** A call as it is sent. */
export interface SignedCall {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Empty when there is none. */
  readonly body: Buffer;
}

export function signCall({ origin, secret, hosted }: Endpoint, signer: Signer, call: Call): SignedCall {
  const { method } = call;
  // Signed as it will be on the wire: the parser of URLs spells some characters in its own way.
  const url = new URL(origin + call.target);
  const target = url.pathname + url.search;
  const body = call.body === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(call.body));
  const nonce = Buffer.from(signer.randomBytes(16)).toString('base64url');
  const signed = signRequest(
    signer.identity,
    { method, origin, target, body, instance: hosted?.instance },
    { nowMs: signer.now(), nonce },
  );
  const headers = {
    accept: 'application/json',
    ...(body.length === 0 ? {} : { 'content-type': 'application/json' }),
    ...(method === 'GET' ? {} : { 'content-length': String(body.length) }),
    ...signed,
    ...(signer.run === undefined ? {} : { [runHeader]: signer.run }),
    ...(signer.pid === undefined ? {} : { [pidHeader]: String(signer.pid) }),
    ...(secret === undefined ? {} : { [homeProofHeader]: homeProof(secret, signed.signature ?? '') }),
  };
  return { url, headers, body };
}

/**
 * The response to a signed call, with the daemon's proof checked and the body still to be read. Rejects with
 * {@link NotReached}, or with `DaemonUnavailable` when the call may have arrived but got no response.
 */
export async function send(
  endpoint: Endpoint,
  signer: Signer,
  call: Call,
  { agent, onlyOn }: SendOptions = {},
): Promise<IncomingMessage> {
  const { origin, roots } = endpoint;
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
      const header = (name: string): string | undefined => {
        const value = response.headers[name];
        return typeof value === 'string' ? value : undefined;
      };
      const fault = senderFault(endpoint, headers.signature ?? '', response.statusCode ?? 0, header);
      if (fault === undefined) {
        resolve(response);
      } else {
        response.destroy();
        reject(fault);
      }
    });
    request.on('error', (error: NodeJS.ErrnoException) => {
      if (signal?.aborted === true) reject(cancelled());
      else if (error instanceof AuthsomeError || error instanceof NotReached) reject(error);
      else if (isRepeatable(error, method, isSecure)) reject(new NotReached('absent'));
      else if (isSecure && error.syscall === 'connect') reject(noHostedDaemon(origin, error));
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
      else request.destroy(new NotReached('stranger'));
    });
  });
}

/**
 * Why a response to the call with the `Signature` header `answers` is not from the daemon that was called; `undefined` when
 * it is.
 */
export function senderFault(
  { secret, hosted }: Endpoint,
  answers: string,
  status: number,
  header: (name: string) => string | undefined,
): Error | undefined {
  if (hosted !== undefined) return hosted.faultOf(senderOf(status, header, answers));
  const isProven = secret === undefined || proofMatches(secret, answers, header(proofHeader) ?? '');
  return isProven ? undefined : new NotReached('stranger');
}

/**
 * Whether a call may be made again: the connection failed before any byte of it was sent, or the call changes nothing
 * and the daemon died during it.
 */
function isRepeatable(error: NodeJS.ErrnoException, method: Call['method'], isSecure: boolean): boolean {
  if (isSecure) return false;
  return error.syscall === 'connect' || (method === 'GET' && error.code === 'ECONNRESET');
}

/** The parsed JSON of a response. Throws the AuthsomeError of an error document. */
export async function readDocument(response: IncomingMessage, origin: string): Promise<unknown> {
  const text = await readText(response, origin);
  const status = response.statusCode ?? 0;
  const document = parseJson(text);
  if (status >= 200 && status < 300 && document !== undefined) return document;
  throw errorOf(document) ?? unreadableResponse(origin, status);
}

/** The body of a response, as text. */
export async function readText(response: IncomingMessage, origin: string): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of response) chunks.push(chunk as Buffer);
  } catch (error) {
    if (error instanceof Error && error.name === 'AbortError') throw cancelled();
    throw interrupted(origin, error);
  }
  const body = Buffer.concat(chunks);
  const digest = response.headers['content-digest'];
  if (digest !== undefined && digest !== contentDigest(body)) {
    throw unreadableResponse(origin, response.statusCode ?? 0);
  }
  return body.toString('utf8');
}

/** The error of an error document; `undefined` for any other document. */
export function errorOf(document: unknown): AuthsomeError | undefined {
  if (typeof document !== 'object' || document === null) return undefined;
  const { error, message, hint } = document as Readonly<Record<string, unknown>>;
  if (!isErrorCode(error) || typeof message !== 'string') return undefined;
  return new AuthsomeError(error, message, typeof hint === 'string' ? { hint } : {});
}

function cancelled(): AuthsomeError {
  return new AuthsomeError('Cancelled', 'the call to the daemon was cancelled');
}

/** For a daemon that this machine cannot start. */
export function noHostedDaemon(origin: string, cause?: unknown): AuthsomeError {
  return new AuthsomeError('DaemonUnavailable', `cannot reach the daemon at ${origin}`, {
    hint: 'Check AUTHSOME_BASE_URL, and that the daemon there is running.',
    cause,
  });
}

export function interrupted(origin: string, cause?: unknown): AuthsomeError {
  return new AuthsomeError('DaemonUnavailable', `the connection to the daemon at ${origin} was lost`, {
    cause,
  });
}

export function silent(origin: string, idleMs: number): AuthsomeError {
  const seconds = Math.round(idleMs / 1000);
  return new AuthsomeError(
    'DaemonUnavailable',
    `the daemon at ${origin} did not respond for ${seconds} seconds`,
    { hint: 'Run: authsome daemon restart' },
  );
}

export function unreadableResponse(origin: string, status: number): AuthsomeError {
  return new AuthsomeError(
    'DaemonUnavailable',
    `the daemon at ${origin} sent an unreadable response (status ${status})`,
  );
}
