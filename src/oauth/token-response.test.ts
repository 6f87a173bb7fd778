import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Reply } from './endpoint.ts';
import { readTokenResponse } from './token-response.ts';

const context = { requestedScopes: ['asked'], sentAtMs: 1_000_000, secrets: ['s3cret-code'] };

function reply(body: unknown, contentType = 'application/json', status = 200): Reply {
  return { status, contentType, body: typeof body === 'string' ? body : JSON.stringify(body) };
}

const read = (...shape: Parameters<typeof reply>) => readTokenResponse(reply(...shape), context);

describe('tokens', () => {
  it('as RFC 6749 §5.1 gives them', () => {
    expect(
      read({
        access_token: '2Yotn',
        token_type: 'Bearer',
        expires_in: 3600,
        refresh_token: 'tGzv',
        scope: 'a b',
      }),
    ).toEqual({
      kind: 'tokens',
      tokens: { accessToken: '2Yotn', refreshToken: 'tGzv', expiresAtMs: 4_600_000, scopes: ['a', 'b'] },
    });
  });

  it.each<[string, Parameters<typeof reply>, object]>([
    [
      'a form',
      ['access_token=gho_1&scope=repo%2Cgist&token_type=bearer', 'application/x-www-form-urlencoded'],
      { accessToken: 'gho_1', scopes: ['repo', 'gist'] },
    ],
    [
      'a form called text/plain',
      ['access_token=gho_1&expires_in=60', 'text/plain'],
      { accessToken: 'gho_1', expiresAtMs: 1_060_000 },
    ],
    ['JSON called text/html', [{ access_token: 't' }, 'text/html'], { accessToken: 't' }],
    ['status 201', [{ access_token: 't' }, 'application/json', 201], { accessToken: 't' }],
    ['no token_type', [{ access_token: 't' }], { accessToken: 't' }],
    ['a lifetime as a string', [{ access_token: 't', expires_in: '3600' }], { expiresAtMs: 4_600_000 }],
    ['a lifetime of null', [{ access_token: 't', expires_in: null }], { expiresAtMs: undefined }],
    ['a lifetime of 0', [{ access_token: 't', expires_in: 0 }], { expiresAtMs: undefined }],
    ['a lifetime that is no number', [{ access_token: 't', expires_in: 'soon' }], { expiresAtMs: undefined }],
    ['scopes split by comma', [{ access_token: 't', scope: 'a,b, a' }], { scopes: ['a', 'b'] }],
    ['scopes as an array', [{ access_token: 't', scope: ['a', 'b'] }], { scopes: ['a', 'b'] }],
    ['no scope', [{ access_token: 't' }], { scopes: ['asked'] }],
    ['an empty scope', [{ access_token: 't', scope: '' }], { scopes: ['asked'] }],
    ['a null refresh token', [{ access_token: 't', refresh_token: null }], { refreshToken: undefined }],
    [
      "Slack's nesting",
      [
        {
          ok: true,
          authed_user: {
            id: 'U1',
            access_token: 'xoxp-1',
            scope: 'chat:write,users:read',
            token_type: 'user',
          },
        },
      ],
      { accessToken: 'xoxp-1', scopes: ['chat:write', 'users:read'] },
    ],
    [
      "Slack's bot token before its user's",
      [{ ok: true, access_token: 'xoxb-1', token_type: 'bot', authed_user: { access_token: 'xoxp-1' } }],
      { accessToken: 'xoxb-1' },
    ],
  ])('in the wild: %s', (_, shape, expected) => {
    expect(read(...shape)).toMatchObject({ kind: 'tokens', tokens: expected });
  });
});

it('stores and shows no more scopes than a person can use', () => {
  const scope = Array.from({ length: 100_000 }, (_, index) => index.toString(36)).join(' ');
  const result = read({ access_token: 'at-1', token_type: 'bearer', scope });
  expect(result).toMatchObject({ kind: 'tokens' });
  expect(result.kind === 'tokens' && result.tokens.scopes).toHaveLength(500);
});

describe('a media type', () => {
  it.each([
    ['application/json', undefined],
    ['text/html', 'the token endpoint answered with text/html, not application/json'],
    [
      'application/x-www-form-urlencoded',
      'the token endpoint answered with application/x-www-form-urlencoded, not application/json',
    ],
    ['', 'the token endpoint answered with no media type, not application/json'],
    ['a\u001b[31m', 'the token endpoint answered with no media type, not application/json'],
  ])('%j is read, and said where RFC 6749 §5.1 wants another', (type, remark) => {
    const result = read({ access_token: 't' }, type);
    expect(result.kind === 'tokens' && result.tokens.remark).toBe(remark);
  });
});

describe('refusals', () => {
  it.each<[string, Parameters<typeof reply>, string]>([
    [
      'RFC 6749 §5.2',
      [{ error: 'invalid_grant', error_description: 'expired' }, 'application/json', 400],
      'invalid_grant',
    ],
    ['status 200', [{ error: 'bad_verification_code' }], 'bad_verification_code'],
    ['status 200 with a token beside it', [{ error: 'bad', access_token: 't' }], 'bad'],
    [
      'a form under 200',
      ['error=incorrect_client_credentials&error_description=no', 'application/x-www-form-urlencoded'],
      'incorrect_client_credentials',
    ],
    ['ok: false', [{ ok: false, error: 'invalid_code' }], 'invalid_code'],
    ['ok: false without more', [{ ok: false }], 'unreadable_error'],
    [
      'an error object',
      [{ error: { code: 'invalid_client', message: 'no' } }, 'application/json', 401],
      'invalid_client',
    ],
    ['an error that is no code', [{ error: '<script>alert(1)</script>' }], 'unreadable_error'],
  ])('%s', (_, shape, error) => {
    expect(read(...shape)).toMatchObject({ kind: 'refused', error });
  });

  it('make a description printable, bounded and free of what was sent', () => {
    const described = (text: string) =>
      read({ error: 'e', error_description: text }, 'application/json', 400);
    expect(described('bad\u001b[31m\r\nthing')).toMatchObject({ description: 'bad [31m thing' });
    expect(described('the code s3cret-code is used up')).toMatchObject({ description: undefined });
    const repeating = { error: 'e', access_token: 'at-0123', error_description: 'you have at-0123 already' };
    expect(read(repeating)).toMatchObject({ error: 'e', description: undefined });
    expect(described('x'.repeat(5000))).toMatchObject({ description: `${'x'.repeat(299)}…` });
  });
});

describe('replies that are no token response', () => {
  it.each<[string, Parameters<typeof reply>, RegExp, boolean]>([
    [
      'HTML with 500',
      ['<html>Oops</html>', 'text/html', 500],
      /responded 500 with text\/html, not JSON/,
      true,
    ],
    ['HTML with 200', ['<html>Log in</html>', 'text/html'], /responded 200 with text\/html/, false],
    ['nothing', ['', 'application/json', 503], /responded 503 with an empty body/, true],
    ['broken JSON', ['{"access_token":', 'application/json'], /an unreadable body/, false],
    ['an array', ['[]'], /unreadable/, false],
    ['a redirect', ['', '', 302], /redirect \(status 302\), which is never followed/, false],
    ['no access token', [{ id: 1 }], /without an access token/, false],
    ['a token with a line break', [{ access_token: 'a\nb' }], /cannot go into a header/, false],
    [
      'a DPoP token',
      [{ access_token: 't', token_type: 'DPoP' }],
      /bound to a key of the client \(DPoP/,
      false,
    ],
    ['a MAC token', [{ access_token: 't', token_type: 'mac' }], /only bearer/, false],
    [
      'no access token, in another type',
      ['a=b', 'text/plain'],
      /responded with text\/plain, not JSON, and without an access token/,
      false,
    ],
    ['tokens under 400', [{ access_token: 't' }, 'application/json', 400], /responded 400/, false],
  ])('%s', (_, shape, reason, temporary) => {
    const result = read(...shape);
    expect(result).toMatchObject({ kind: 'unusable', temporary, reason: expect.stringMatching(reason) });
    expect(JSON.stringify(result)).not.toContain('Oops');
  });
});

it('reads whatever comes back, and never throws', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc
          .dictionary(
            fc.constantFrom('access_token', 'error', 'scope', 'authed_user', 'expires_in'),
            fc.jsonValue(),
          )
          .map((value) => JSON.stringify(value)),
      ),
      fc.integer({ min: 200, max: 599 }),
      (body, status) => {
        const result = readTokenResponse({ status, contentType: '', body }, context);
        if (result.kind === 'tokens') expect(result.tokens.accessToken).toMatch(/^[\x21-\x7e]+$/);
      },
    ),
  );
});
