import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openStorage, type Storage } from '../storage/index.ts';
import { type AuditView, viewOf } from './audit-view.ts';
import type { AuditEvent, DecisionEvent } from './event.ts';
import { type ObservedTrail, observeTrail } from './observed-trail.ts';
import { openAuditTrail } from './trail.ts';

let directory: string;
let storage: Storage;
let trail: ObservedTrail;
let first: AuditView;
let second: AuditView;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'authsome-view-'));
  storage = await openStorage(join(directory, 'authsome.db'));
  const randomBytes = (size: number) => crypto.getRandomValues(new Uint8Array(size));
  trail = observeTrail(openAuditTrail({ table: storage.audit, nowMs: Date.now, randomBytes }));
  first = viewOf(trail, { principal: 'prn_1', isFirst: true, seesAll: false });
  second = viewOf(trail, { principal: 'prn_2', isFirst: false, seesAll: false });
});
afterEach(async () => {
  await storage.close();
  rmSync(directory, { recursive: true });
});

const signIn = (provider: string): AuditEvent => ({ event: 'sign_in.completed', provider, outcome: 'ok' });

function decision(id: string): DecisionEvent {
  return {
    event: 'decision',
    id,
    run: 'run_1',
    outcome: 'injected',
    action: 'injected',
    reason: 'A route matches.',
    request: { method: 'GET', host: 'api.example', port: 443, path: '/' },
    candidates: [],
  };
}

const providersIn = async (view: AuditView, limit = 10) =>
  (await view.recent({ limit })).map(({ provider }) => provider);

it('records the first principal’s events as before, and others with their id', async () => {
  first.append(signIn('openai'));
  second.append(signIn('github'));
  const [one, other] = await trail.recent({ limit: 10 });
  expect(one).not.toHaveProperty('principal');
  expect(other).toMatchObject({ provider: 'github', principal: 'prn_2' });
});

it('reads its own events only, and those of nobody as the first principal’s', async () => {
  first.append(signIn('openai'));
  second.append(signIn('github'));
  trail.append({ event: 'daemon.started', outcome: 'ok' });
  expect((await first.recent({ limit: 10 })).map(({ event }) => event)).toEqual([
    'sign_in.completed',
    'daemon.started',
  ]);
  expect(await providersIn(second)).toEqual(['github']);
  const all = viewOf(trail, { principal: 'prn_3', isFirst: false, seesAll: true });
  expect(await all.recent({ limit: 10 })).toHaveLength(3);
});

it('finds as many as were asked for, however many of others come between', async () => {
  second.append(signIn('oldest'));
  second.append(signIn('older'));
  for (let count = 0; count < 1_200; count += 1) first.append(signIn('other'));
  second.append(signIn('newest'));
  expect(await providersIn(second)).toEqual(['oldest', 'older', 'newest']);
  expect(await providersIn(second, 2)).toEqual(['older', 'newest']);
  const page = await second.recent({ limit: 2, after: 1 });
  expect(page.map(({ provider }) => provider)).toEqual(['older', 'newest']);
  const before = await second.recent({ limit: 2, before: page[1]?.sequence ?? 0 });
  expect(before.map(({ provider }) => provider)).toEqual(['oldest', 'older']);
});

it('waits for the next event of its own, and is not woken with one of others', async () => {
  const next = second.next({ limit: 10, after: 0 }, 60_000);
  await Promise.resolve();
  first.append(signIn('openai'));
  await trail.flush();
  second.append(signIn('github'));
  expect((await next).map(({ provider }) => provider)).toEqual(['github']);
  expect(await second.next({ limit: 10, after: 2 }, 1)).toEqual([]);
});

it('explains its own decisions only', async () => {
  second.append(decision('dec_own'));
  first.append(decision('dec_other'));
  expect(await second.decision('dec_own')).toMatchObject({ id: 'dec_own', principal: 'prn_2' });
  expect(await second.decision('last')).toMatchObject({ id: 'dec_own' });
  expect(await second.decision('dec_other')).toBeUndefined();
  expect(await first.decision('dec_own')).toBeUndefined();
  expect(await first.decision('last')).toMatchObject({ id: 'dec_other' });
});

it('takes for the last decision that of a run of its own, though it sees those of others and of strangers', async () => {
  const { run: _, ...byStranger } = decision('dec_stranger');
  const all = viewOf(trail, { principal: 'prn_1', isFirst: true, seesAll: true });
  trail.append(byStranger);
  expect(await all.decision('last')).toBeUndefined();
  all.append(decision('dec_own'));
  second.append(decision('dec_other'));
  for (let count = 0; count < 600; count += 1) trail.append(byStranger);
  expect(await all.decision('last')).toMatchObject({ id: 'dec_own' });
  expect(await all.decision('dec_other')).toMatchObject({ id: 'dec_other' });
  expect(await all.decision('dec_stranger')).toMatchObject({ id: 'dec_stranger' });
});

it('lists what strangers caused only when it is asked for', async () => {
  const { run: _, ...withoutRun } = decision('dec_2');
  first.append(signIn('openai'));
  trail.append({ event: 'strangers.refused', outcome: 'StateMismatch', count: 3, detail: '3 callbacks' });
  trail.append({ event: 'identity.refused', outcome: 'IdentityNotAllowed' });
  trail.append(withoutRun);
  first.append(decision('dec_3'));
  const eventsOf = async (strangers: boolean) =>
    (await first.recent({ limit: 10, strangers })).map(({ event }) => event);
  expect(await eventsOf(false)).toEqual(['sign_in.completed', 'decision']);
  expect(await eventsOf(true)).toHaveLength(5);
  expect(await first.next({ limit: 10, after: 1 }, 0)).toMatchObject([{ id: 'dec_3' }]);
  expect(await first.decision('dec_2')).toMatchObject({ id: 'dec_2' });
});
