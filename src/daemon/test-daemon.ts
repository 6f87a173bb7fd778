import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AuthsomeError } from '../errors.ts';
import {
  didOf,
  homeProof,
  homeProofHeader,
  type Identity,
  instanceHeader,
  signRequest,
} from '../identity/index.ts';
import { writePrivateFile } from '../private-files/index.ts';
import { parseSettings } from '../settings.ts';
import { openDatabase } from '../storage/test-storage.ts';
import { passphraseKey } from '../vault/index.ts';
import type { Daemon, StartOptions } from './contract.ts';
import { homeAt, prepareHome } from './home/home.ts';
import type { Log } from './log/log.ts';
import { startDaemon } from './start.ts';

const silentLog: Log = { error() {}, warn() {}, info() {}, debug() {} };

export function testIdentity(handle: string): Identity {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  return { handle, did: didOf(raw), privateKey };
}

/** A daemon in a throwaway home on a free port, and an identity that calls it. */
export interface Fixture {
  readonly home: string;
  readonly identity: Identity;
  readonly daemon: Daemon;
  call(method: string, target: string, body?: unknown, init?: CallInit): Promise<Response>;
  /** Stops the daemon and starts another one in the same home. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

interface CallInit {
  readonly identity?: Identity;
  readonly nowMs?: number;
  readonly signal?: AbortSignal;
  /** Without the proof that the caller can read the home. */
  readonly fromElsewhere?: boolean;
}

export async function openFixture({
  config,
  ...changes
}: Partial<StartOptions> & { readonly config?: unknown } = {}): Promise<Fixture> {
  const base = mkdtempSync(join(tmpdir(), 'authsome-daemon-'));
  const path = join(base, 'home');
  const identity = testIdentity('tester@machine');
  const settings = parseSettings({
    AUTHSOME_HOME: path,
    AUTHSOME_MASTER_KEY: Buffer.alloc(32, 7).toString('base64'),
  });
  const start = async (): Promise<Daemon> => {
    const home = homeAt(path);
    prepareHome(home);
    if (config !== undefined) writePrivateFile(home.configFile, JSON.stringify(config));
    return startDaemon({
      settings: { ...settings, listenPort: 0 },
      home,
      environment: {},
      version: '0.0.0-test',
      passphrase: passphraseKey({ typed: undefined, file: undefined }),
      log: silentLog,
      addressInUse: async (host, port) =>
        new AuthsomeError('AddressInUse', `address already in use: ${host}:${port}`),
      nowMs: Date.now,
      randomBytes,
      ...changes,
    });
  };
  let daemon = await start();
  const stop = async (): Promise<void> => {
    daemon.stop('now');
    await daemon.stopped;
  };
  return {
    home: path,
    identity,
    get daemon() {
      return daemon;
    },
    async call(method, target, body, init = {}) {
      const { fromElsewhere, nowMs, signal, identity: caller = identity } = init;
      const text = body === undefined ? '' : JSON.stringify(body);
      const call = { origin: daemon.url, identity: caller, method, target, text, nowMs };
      if (fromElsewhere !== true) return signedFetch({ ...call, secret: secretIn(path) }, signal);
      const refused = await signedFetch(call, signal);
      return signedFetch({ ...call, instance: refused.headers.get(instanceHeader) ?? '' }, signal);
    },
    async restart() {
      await stop();
      daemon = await start();
    },
    async close() {
      await stop();
      rmSync(base, { recursive: true, force: true });
    },
  };
}

/** Adds a principal beside the first one. */
export async function addPrincipal(home: string, role: 'admin' | 'user', identity: Identity): Promise<void> {
  const database = await openDatabase(homeAt(home).databaseFile);
  const id = `prn_${identity.handle}`;
  const insertPrincipal = 'INSERT INTO principals (id, role, vault_id, created_at_ms) VALUES (?, ?, ?, ?)';
  database.run(insertPrincipal, id, role, `vlt_${identity.handle}`, Date.now() + 1_000);
  const insertIdentity =
    'INSERT INTO identities (did, handle, principal_id, admitted_at_ms) VALUES (?, ?, ?, ?)';
  database.run(insertIdentity, identity.did, identity.handle, id, Date.now());
  database.close();
}

/** What proves to the daemon of a home that a caller can read it. */
export function secretIn(home: string): Buffer {
  const text = readFileSync(join(home, 'server/daemon.json'), 'utf8');
  return Buffer.from((JSON.parse(text) as { secret: string }).secret, 'base64url');
}

export interface SignedCall {
  readonly origin: string;
  readonly identity: Identity;
  readonly method: string;
  readonly target: string;
  readonly text: string;
  readonly nowMs?: number | undefined;
  /** Of the home, to prove that the caller can read it. */
  readonly secret?: Uint8Array;
  /** The start of the daemon that the call is for. */
  readonly instance?: string;
}

export function signedHeaders(call: SignedCall): Record<string, string> {
  const { origin, identity, method, target, text, nowMs = Date.now(), secret, instance } = call;
  const nonce = randomBytes(16).toString('base64url');
  const request = { method, origin, target, body: Buffer.from(text), instance };
  const headers = signRequest(identity, request, { nowMs, nonce });
  if (secret !== undefined) headers[homeProofHeader] = homeProof(secret, headers.signature ?? '');
  return headers;
}

function signedFetch(call: SignedCall, signal: AbortSignal | undefined): Promise<Response> {
  const { origin, method, target, text } = call;
  return fetch(origin + target, {
    method,
    headers: signedHeaders(call),
    redirect: 'manual',
    ...(text === '' ? {} : { body: text }),
    ...(signal === undefined ? {} : { signal }),
  });
}

export interface PlainResponse {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly text: string;
}

/** A request whose headers are exactly these: fetch would not send a foreign Host or Sec-Fetch-Mode. */
export function plainRequest(
  origin: string,
  method: string,
  path: string,
  headers: Record<string, string>,
  body = '',
): Promise<PlainResponse> {
  const { hostname, port, host } = new URL(origin);
  return new Promise((resolve, reject) => {
    const options = { hostname, port, method, path, headers: { host, ...headers }, agent: false } as const;
    const call = request(options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
      );
    });
    call.on('error', reject);
    call.end(body);
  });
}
