import { describe, expect, it } from 'vitest';
import type { DecisionEvent } from '../audit/index.ts';
import { explainDocument } from './documents.ts';

const decision: DecisionEvent & { readonly at: string } = {
  event: 'decision',
  id: 'dec_1',
  at: '2026-11-28T07:00:00.000Z',
  action: 'injected',
  outcome: 'injected',
  reason: 'No rule denies this request.',
  request: { method: 'GET', host: 'api.example.test', port: 443, path: '/v1' },
  candidates: [],
};
const letGo = { decision: 'dec_1', provider: 'example', connection: 'default' };

describe('what explain says about a request that was allowed', () => {
  it('is the decision, as long as nothing else is known', () => {
    expect(explainDocument(decision, undefined)).toMatchObject({
      outcome: 'injected',
      reason: 'No rule denies this request.',
      missing_scopes: [],
      hint: null,
    });
  });

  it('is why its response failed', () => {
    const detail = 'the upstream ended its response before it was complete';
    const failure = { event: 'answer.failed', ...letGo, outcome: 'UpstreamUnreachable', detail } as const;
    expect(explainDocument(decision, failure)).toMatchObject({
      decision: 'dec_1',
      outcome: 'UpstreamUnreachable',
      reason: detail,
      missing_scopes: [],
    });
  });

  it('is which scope the service missed', () => {
    const want = { event: 'scopes.missing', ...letGo, outcome: 'insufficient_scope' } as const;
    const more = {
      scopes: ['repo'],
      detail: 'it lacks repo',
      hint: 'Run: authsome login example --scopes repo',
    };
    expect(explainDocument(decision, { ...want, ...more })).toMatchObject({
      outcome: 'injected',
      missing_scopes: ['repo'],
      hint: more.hint,
    });
  });
});
