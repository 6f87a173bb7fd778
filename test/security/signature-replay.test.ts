import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  homeProof,
  homeProofHeader,
  type Identity,
  instanceHeader,
  loadIdentity,
  signRequest,
} from '../../src/identity/index.ts';
import { type Fixture, gone, openFixture } from '../support/fixture.ts';

/**
 * The attack: somebody has a copy of a signed call. The daemon remembered in its memory what it had taken, so after a
 * crash the copy was taken again: where it was made less than a second before the new start, where the clock had been
 * set back, or where it had been made up to a minute ahead.
 */
let fixture: Fixture;
let identity: Identity;

beforeEach(async () => {
  fixture = await openFixture();
  await fixture.json(['whoami']);
  identity = loadIdentity({ directory: join(fixture.home, 'identities'), randomBytes });
});
afterEach(() => fixture.close());

interface Copy {
  readonly nowMs?: number;
  readonly instance?: string;
  readonly isFromHome?: boolean;
}

function signed({ nowMs = Date.now(), instance, isFromHome = true }: Copy = {}): Record<string, string> {
  const request = {
    method: 'GET',
    origin: fixture.baseUrl,
    target: '/v1/connections/openai?show_secret=1',
    body: new Uint8Array(),
    instance,
  };
  const headers = signRequest(identity, request, { nowMs, nonce: randomBytes(16).toString('base64url') });
  if (!isFromHome) return headers;
  const record = readFileSync(join(fixture.home, 'server/daemon.json'), 'utf8');
  const { secret } = JSON.parse(record) as { secret: string };
  return {
    ...headers,
    [homeProofHeader]: homeProof(Buffer.from(secret, 'base64url'), headers.signature ?? ''),
  };
}

function send(headers: Record<string, string>): Promise<Response> {
  return fetch(`${fixture.baseUrl}/v1/connections/openai?show_secret=1`, { headers });
}

/** What the daemon says of a call that it has accepted: that there is no such connection. */
async function isAccepted(headers: Record<string, string>): Promise<boolean> {
  const response = await send(headers);
  const { error } = (await response.json()) as { error: string };
  if (error === 'ConnectionNotFound') return true;
  expect([response.status, error]).toEqual([401, 'RequestNotAuthentic']);
  return false;
}

async function restart(): Promise<void> {
  const pid = fixture.daemonPid() ?? 0;
  process.kill(pid, 'SIGKILL');
  await gone(pid, 5_000);
  await fixture.json(['daemon', 'start']);
  expect(fixture.daemonPid()).not.toBe(pid);
}

describe('a copy of a signed call', () => {
  it('is refused at once, and after the daemon was killed and started', async () => {
    const copies = [signed(), signed({ nowMs: Date.now() + 4_000 })];
    const instance = (await send(signed({ isFromHome: false }))).headers.get(instanceHeader) ?? '';
    copies.push(signed({ instance, isFromHome: false }));
    for (const copy of copies) expect(await isAccepted(copy)).toBe(true);
    for (const copy of copies) expect(await isAccepted(copy)).toBe(false);
    await restart();
    for (const copy of copies) expect(await isAccepted(copy)).toBe(false);
  });

  it('is refused where the dead daemon never took it', async () => {
    const copy = signed();
    await restart();
    expect(await isAccepted(copy)).toBe(false);
    expect(await isAccepted(signed())).toBe(true);
  });

  it('is refused with the proof of its home, or the name of the start, taken off', async () => {
    expect(await isAccepted(signed({ isFromHome: false }))).toBe(false);
    const instance = (await send(signed({ isFromHome: false }))).headers.get(instanceHeader) ?? '';
    const { [instanceHeader]: _, ...unnamed } = signed({ instance, isFromHome: false });
    expect(await isAccepted(unnamed)).toBe(false);
  });
});

describe('a call from the future', () => {
  it('is taken up to five seconds ahead, and refused beyond with a word about clocks', async () => {
    expect(await isAccepted(signed({ nowMs: Date.now() + 3_000 }))).toBe(true);
    for (const aheadMs of [8_000, 59_000, 3_600_000]) {
      const response = await send(signed({ nowMs: Date.now() + aheadMs }));
      expect(response.status).toBe(401);
      const document = (await response.json()) as { message: string; hint: string };
      expect(document.message).toMatch(/signed \d+ seconds from now, and 5 are allowed$/);
      expect(document.hint).toBe('Set the clocks of both machines, then try again.');
    }
  });
});

it('does not keep commands from running while the daemon is killed again and again', async () => {
  for (let round = 0; round < 4; round += 1) {
    const pid = fixture.daemonPid() ?? 0;
    const commands = Array.from({ length: 3 }, () => fixture.authsome(['list', '--json']));
    process.kill(pid, 'SIGKILL');
    expect((await Promise.all(commands)).map(({ code, stderr }) => [code, stderr])).toEqual(
      commands.map(() => [0, '']),
    );
  }
});
