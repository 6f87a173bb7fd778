import { expect, it } from 'vitest';
import { revokeTokens } from './revocation.ts';

const revocation = {
  revocationUrl: 'https://id.example/revoke',
  client: { clientId: 'c', clientSecret: undefined },
  authMethod: undefined,
  accessToken: 'the-access-token',
  refreshToken: 'the-refresh-token',
  pause: async () => {},
};

function answering(answers: Readonly<Record<string, () => Response>>) {
  const asked: (string | null)[] = [];
  const fetch = async (_: unknown, init: RequestInit = {}) => {
    const form = new URLSearchParams(String(init.body));
    asked.push(form.get('token'));
    return answers[form.get('token_type_hint') ?? '']?.() ?? new Response('', { status: 200 });
  };
  return { asked, fetch };
}

const refusal = (error: string) => () => Response.json({ error }, { status: 400 });
const down = () => {
  throw new TypeError('fetch failed');
};

it('revokes the refresh token first, then the access token', async () => {
  const { asked, fetch } = answering({});
  expect(await revokeTokens(fetch, revocation)).toBe('revoked');
  expect(asked).toEqual(['the-refresh-token', 'the-access-token']);
});

it.each([
  ['only takes refresh tokens', { access_token: refusal('unsupported_token_type') }, 'revoked'],
  [
    'takes none of both',
    { access_token: refusal('unsupported_token_type'), refresh_token: refusal('unsupported_token_type') },
    'unsupported',
  ],
  ['refuses the client', { refresh_token: refusal('invalid_client') }, 'unreachable'],
  ['is down', { refresh_token: down, access_token: down }, 'unreachable'],
  ['goes down in between', { access_token: down }, 'unreachable'],
])('of a server that %s', async (_, answers, outcome) => {
  const { asked, fetch } = answering(answers);
  expect(await revokeTokens(fetch, revocation)).toBe(outcome);
  expect(asked).toHaveLength(2);
});

it('waits as long as a busy server wants, and asks once more', async () => {
  const pauses: number[] = [];
  const replies = [new Response('', { status: 503, headers: { 'retry-after': '2' } })];
  const { asked, fetch } = answering({
    refresh_token: () => replies.shift() ?? new Response('', { status: 200 }),
  });
  const pause = async (ms: number) => void pauses.push(ms);
  expect(await revokeTokens(fetch, { ...revocation, pause })).toBe('revoked');
  expect(pauses).toEqual([2_000]);
  expect(asked).toEqual(['the-refresh-token', 'the-refresh-token', 'the-access-token']);
});

it('leaves a server alone that wants a longer wait, and one that stays busy', async () => {
  for (const [seconds, times] of [
    ['60', 1],
    ['2', 2],
  ] as const) {
    const { asked, fetch } = answering({
      refresh_token: () => new Response('', { status: 429, headers: { 'retry-after': seconds } }),
    });
    expect(await revokeTokens(fetch, revocation)).toBe('unreachable');
    expect(asked).toEqual(Array(times).fill('the-refresh-token'));
  }
});
