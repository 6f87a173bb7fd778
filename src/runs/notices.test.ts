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
  expect(noticeOf({ event: 'run.started', outcome: 'ok' })).toBeUndefined();
  expect(noticeOf({ event: 'token.refreshed', ...pixel })).toBeUndefined();
});
