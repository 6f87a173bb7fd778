import type { Chance } from './payload.ts';
import { soakHosts } from './plan.ts';
import { dialProxy, type Environs, leave, openTunnel } from './tunnel.ts';
import { Wire } from './wire.ts';

/** Requests that are refused: none of them may arrive anywhere, and each is in the audit. */
const offences: readonly ((host: string, nonce: string) => string)[] = [
  (host, nonce) =>
    `POST /soak/${nonce} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  (host, nonce) =>
    `POST /soak/${nonce} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd`,
  (host, nonce) => `GET /soak/${nonce} HTTP/1.1\r\nHost: ${host}\r\nX: a\r\n b\r\n\r\n`,
  (host, nonce) => `GET /soak/${nonce} HTTP/1.1\r\nHost : ${host}\r\n\r\n`,
  (_, nonce) => `GET /soak/${nonce} HTTP/1.1\r\nHost: other.soak.test\r\n\r\n`,
  (_, nonce) => `GET https://other.soak.test/soak/${nonce} HTTP/1.1\r\nHost: other.soak.test\r\n\r\n`,
  (host, nonce) => `GET /soak/${nonce} HTTP/1.1\nHost: ${host}\n\n`,
];

export async function runOffence(environs: Environs, chance: Chance): Promise<void> {
  const { ledger } = environs;
  const host = soakHosts.rotated;
  const nonce = `never-${environs.nextNonce()}`;
  if (chance.happens(0.2)) {
    // Plain HTTP to a host that has a route.
    const raw = await dialProxy(environs);
    raw.write(
      `GET http://${host}/soak/${nonce} HTTP/1.1\r\nHost: ${host}\r\nProxy-Authorization: ${environs.proxyAuthorization}\r\n\r\n`,
    );
    const answer = await new Wire(raw).head();
    raw.destroy();
    if (answer?.line.split(' ')[1]?.startsWith('4') !== true)
      ledger.violation(`plain HTTP to a route: ${answer?.text}`);
    ledger.namelessRefusals.met += 1;
    return;
  }
  const tunnel = await openTunnel(environs, host, 'http/1.1');
  const wire = new Wire(tunnel.tls);
  const text = chance.pick(offences)(host, nonce);
  await wire.write(text);
  const answer = await wire.head();
  if (answer?.line.split(' ')[1]?.startsWith('4') !== true) {
    ledger.violation(`${JSON.stringify(text)} was answered: ${answer?.text}`);
  }
  ledger.namelessRefusals.met += 1;
  leave(tunnel);
}
