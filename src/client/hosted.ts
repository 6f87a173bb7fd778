import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { shellWord } from '../command-line.ts';
import { AuthsomeError } from '../errors.ts';
import type { Sender } from '../identity/index.ts';
import { createPrivateFile, makePrivateDirectory, readPrivateFile } from '../private-files/index.ts';
import type { DaemonOptions } from './daemon-options.ts';
import { type Call, type Endpoint, NotReached, send } from './exchange.ts';

/** Silence for this long ends the call that a hosted daemon proves its key with. */
const idleMs = 30_000;

/**
 * The hosted daemon of the settings, once it has proved its key: the one of before, or the first one seen there. It has
 * been sent nothing but a call without content. Throws `DaemonKeyChanged`.
 */
export async function hostedEndpoint(options: DaemonOptions): Promise<Endpoint> {
  const { home, baseUrl: origin, extraCaFiles } = options.settings;
  const endpoint = { origin, secret: undefined, roots: hostedRoots(extraCaFiles) };
  let met: Sender | undefined;
  const opening = {
    ...endpoint,
    hosted: {
      instance: undefined,
      faultOf(sender: Sender | undefined) {
        met = sender;
        return undefined;
      },
    },
  };
  const call: Call = { method: 'GET', target: '/v1/whoami', idleMs };
  // Refused, since it is for no start of the daemon: the refusal names the one to call, under the daemon's signature.
  const response = await send(opening, options, call);
  response.resume();
  if (met === undefined) throw notProven(origin, response.statusCode ?? 0);
  const { did, instance } = met;
  requireKnownKey({ home, origin, did }, () =>
    options.onNewDaemon(`Trusting the daemon at ${origin} from now on. Its key: ${did}`),
  );
  return { ...endpoint, hosted: { instance, faultOf: (sender) => faultOf(sender, { did, instance }) } };
}

function faultOf(sender: Sender | undefined, expected: Sender): Error | undefined {
  if (sender?.did !== expected.did) return new NotReached('stranger');
  return sender.instance === expected.instance ? undefined : new NotReached('restarted');
}

function notProven(origin: string, status: number): AuthsomeError {
  return new AuthsomeError(
    'DaemonUnavailable',
    `what responds at ${origin} does not prove that it is an authsome daemon (status ${status})`,
    { hint: 'Check AUTHSOME_BASE_URL. The daemon there must be started with the same value.' },
  );
}

/** The file that remembers the key of the daemon at `origin`, as ssh's `known_hosts` does. */
function knownDaemonFile(home: string, origin: string): string {
  return join(home, 'known_daemons', encodeURIComponent(new URL(origin).host));
}

/**
 * Trusts `did` as the key of the daemon at `origin` if this is the first one seen there, and says so through `onFirst`.
 * Throws `DaemonKeyChanged` for another key than before.
 */
function requireKnownKey(
  { home, origin, did }: { readonly home: string; readonly origin: string; readonly did: string },
  onFirst: () => void,
): void {
  const file = knownDaemonFile(home, origin);
  let known = readPrivateFile(file)?.trim();
  if (known === undefined) {
    makePrivateDirectory(home);
    makePrivateDirectory(join(home, 'known_daemons'));
    // Of two commands at once, one writes the file, and the other one reads it.
    known = createPrivateFile(file, `${did}\n`).trim();
    if (known === did) onFirst();
  }
  if (known !== did) throw keyChanged(origin, file, known, did);
}

function keyChanged(origin: string, file: string, known: string, found: string): AuthsomeError {
  return new AuthsomeError('DaemonKeyChanged', `the daemon at ${origin} has another key than before`, {
    hint: [
      'Another machine may be passing as it. Nothing else was sent there.',
      `Its key was:  ${known}`,
      `Its key is:   ${found}`,
      'Ask the person who runs that daemon. If the new key is right, forget the old one:',
      `  rm ${shellWord(file)}`,
    ].join('\n'),
  });
}

/**
 * The roots to trust for a hosted daemon, as PEM: Node's own and those in `files`. Empty when there are no files,
 * which means Node's own.
 */
function hostedRoots(files: readonly string[]): readonly string[] {
  if (files.length === 0) return [];
  return [...rootCertificates, ...files.map(readRoots)];
}

function readRoots(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new AuthsomeError('Usage', `the file with extra root certificates cannot be read: ${file}`, {
      hint: 'Fix or unset AUTHSOME_EXTRA_CA_CERTS, SSL_CERT_FILE or NODE_EXTRA_CA_CERTS.',
      cause: error,
    });
  }
}
