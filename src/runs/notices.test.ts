import { expect, it } from 'vitest';
import { noticeOf } from './notices.ts';

it('tells of what was revealed, changed or refused, and of nothing else', () => {
  const pixel = { provider: 'pixel', connection: 'work', outcome: 'ok' };
  expect(noticeOf({ event: 'secret.exported', ...pixel })).toBe('pixel/work exported');
  expect(noticeOf({ event: 'sign_in.completed', ...pixel })).toBe('pixel/work connected');
  expect(noticeOf({ event: 'provider.registered', provider: 'pixel', outcome: 'ok' })).toBe(
    'pixel definition registered',
  );
  for (const outcome of ['ok', 'Usage'])
    expect(noticeOf({ event: 'rules.changed', outcome })).toBe('rules changed');
  const refused = { event: 'call.refused', outcome: 'DeniedInRun', detail: 'revoking pixel' } as const;
  expect(noticeOf(refused)).toBe('refused: revoking pixel');
  const decision = {
    event: 'decision',
    id: 'dec_1',
    action: 'refused',
    reason: 'the phantom of pixel/work is in the path',
    request: { method: 'GET', host: 'api.pixel.test', port: 443, path: '/{phantom}' },
    candidates: [],
  } as const;
  expect(noticeOf({ ...decision, outcome: 'PhantomMisplaced' })).toBe(`refused: ${decision.reason}`);
  expect(noticeOf({ ...decision, outcome: 'PolicyDenied' })).toBeUndefined();
  const failed = { event: 'answer.failed', decision: 'dec_1', detail: 'in the body' } as const;
  expect(noticeOf({ ...failed, outcome: 'PhantomMisplaced' })).toBe('refused: in the body');
  expect(noticeOf({ ...failed, outcome: 'UpstreamTimeout' })).toBeUndefined();
  expect(noticeOf({ event: 'run.started', outcome: 'ok' })).toBeUndefined();
  expect(noticeOf({ event: 'token.refreshed', ...pixel })).toBeUndefined();
});
