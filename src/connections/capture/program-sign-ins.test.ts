import { describe, expect, it } from 'vitest';
import { compileCaptures, type Provider, parseProvider } from '../../providers/index.ts';
import { createConnections } from '../connections.ts';
import { openFixture } from '../testing/test-fixture.ts';
import type { ProgramRequest } from './contract.ts';

const definition = (name: string) =>
  parseProvider(
    {
      name,
      auth_type: 'oauth2',
      api_url: `api.${name}.example`,
      oauth: {
        authorization_url: `https://login.${name}.example/authorize`,
        token_url: `https://login.${name}.example/token`,
        token_request: 'json',
      },
      capture: {
        token_endpoints: [{ url: `https://login.${name}.example/token`, request: ['json', 'form'] }],
        revocation_endpoints: [{ url: `https://login.${name}.example/revoke` }],
        secrets: {
          access_token: {},
          refresh_token: {},
          id_token: { shape: 'jwt', claims: ['email', 'plan'] },
        },
        account: 'id_token.email',
      },
    },
    'bundled',
  );
const jwt = (claims: object) =>
  `${Buffer.from('{"alg":"RS256"}').toString('base64url')}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2lnbmVk`;
const accessToken = (number: number) => `at-real-${number}-${'x1Y2'.repeat(8)}`;
const refreshToken = (number: number) => `rt-real-${number}-${'z3W4'.repeat(8)}`;
const idToken = jwt({ email: 'ann@example.com', plan: 'max', secret_claim: 'hidden', exp: 4_000_000_000 });

interface Sent {
  readonly url: string;
  readonly headers: Headers;
  readonly body: string;
}

/** A service that grants numbered tokens, and a principal's connections beside it. */
function open(answer?: (sent: Sent, count: number) => Response | Promise<Response>) {
  const providers = [definition('acme'), definition('other')];
  const sent: Sent[] = [];
  const usual = (_: Sent, count: number) =>
    Response.json({
      token_type: 'Bearer',
      access_token: accessToken(count),
      refresh_token: refreshToken(count),
      id_token: idToken,
      expires_in: 3_600,
      scope: 'read write',
      organization: { name: 'Acme "1"', nested: [1, null] },
    });
  const { options, events, clock } = openFixture(providers, {
    fetchFor: () => async (input, init) => {
      const request = new Request(input, init);
      const one = { url: request.url, headers: request.headers, body: await request.text() };
      sent.push(one);
      return await (answer ?? usual)(one, sent.length);
    },
  });
  const connections = createConnections(options);
  const ask = async (
    body: object | string,
    more: Partial<ProgramRequest> & { readonly path?: string } = {},
  ) => {
    const provider = more.provider ?? (providers[0] as Provider);
    const match = compileCaptures([provider])?.match(
      `login.${provider.name}.example`,
      443,
      more.path ?? '/token',
    );
    if (match?.kind !== 'endpoint') throw new Error('no such endpoint');
    const isForm = typeof body === 'string';
    const answered = await connections.programs.answer({
      route: match.route,
      provider,
      connection: 'default',
      mayUse: () => true,
      query: '',
      headers: [
        ['content-type', isForm ? 'application/x-www-form-urlencoded' : 'application/json'],
        ['user-agent', 'program/1'],
        ['accept-encoding', 'br'],
      ],
      body: Buffer.from(isForm ? body : JSON.stringify(body)),
      ...more,
    });
    const text = Buffer.from(answered.body).toString('utf8');
    return { ...answered, text, fields: text === '' ? {} : JSON.parse(text) };
  };
  const signIn = (more: Partial<ProgramRequest> = {}) =>
    ask({ grant_type: 'authorization_code', code: 'c0de', client_id: 'program' }, more);
  const refresh = (token: string, more: Partial<ProgramRequest> = {}) =>
    ask({ grant_type: 'refresh_token', refresh_token: token, client_id: 'program' }, more);
  const stored = async (provider = 'acme') =>
    await connections.read(provider, undefined, { showSecret: true });
  return { connections, options, providers, sent, events, clock, ask, signIn, refresh, stored };
}

const named = (events: readonly { readonly event: string }[], name: string) =>
  events.filter(({ event }) => event === name);

describe('a program that signs in by itself', () => {
  it('gets phantoms, and everything else as the service sent it', async () => {
    const { signIn, sent } = open();
    const { status, text, fields } = await signIn();
    expect(status).toBe(200);
    expect(text).not.toMatch(/x1Y2|z3W4/);
    expect(text).not.toContain(idToken);
    expect(fields.access_token).toMatch(/phantom/);
    expect(fields.refresh_token).toMatch(/phantom/);
    expect(fields.access_token).not.toBe(fields.refresh_token);
    expect(fields).toMatchObject({
      token_type: 'Bearer',
      expires_in: 3_600,
      scope: 'read write',
      organization: { name: 'Acme "1"', nested: [1, null] },
    });
    expect(sent).toHaveLength(1);
    expect(sent[0]?.url).toBe('https://login.acme.example/token');
    expect(sent[0]?.body).toBe('{"grant_type":"authorization_code","code":"c0de","client_id":"program"}');
    expect(sent[0]?.headers.get('user-agent')).toBe('program/1');
    expect(sent[0]?.headers.get('accept-encoding')).toBeNull();
  });

  it('gets no header that may carry the grant, such as a cookie', async () => {
    const token = 'at/real/x1Y2x1Y2x1Y2x1Y2';
    const headers = {
      'set-cookie': 'session=c00kie',
      location: '/next#id_token=jot',
      'x-next': `/n?t=${encodeURIComponent(token).toLowerCase()}`,
      'x-request-id': 'r2',
    };
    const { signIn } = open(() => Response.json({ token_type: 'Bearer', access_token: token }, { headers }));
    const answered = await signIn();
    expect(answered.status).toBe(200);
    expect(answered.headers).toContainEqual(['x-request-id', 'r2']);
    expect(JSON.stringify(answered.headers)).not.toMatch(/c00kie|jot|x1y2/i);
  });

  it('reads the claims that it needs in a token that nobody signed, and no others', async () => {
    const { signIn } = open();
    const { fields } = await signIn();
    const [header, payload] = String(fields.id_token).split('.');
    const read = (part = '') => JSON.parse(Buffer.from(part, 'base64url').toString());
    expect(read(header)).toEqual({ alg: 'none', typ: 'JWT', phantom: true });
    expect(read(payload)).toEqual({ email: 'ann@example.com', plan: 'max' });
  });

  it('makes a connection, on record as a sign-in', async () => {
    const { signIn, stored, events, connections } = open();
    await signIn();
    expect(await stored()).toMatchObject({
      name: 'default',
      accessToken: accessToken(1),
      refreshToken: refreshToken(1),
      account: 'ann@example.com',
      scopes: ['read', 'write'],
      refreshable: true,
    });
    expect(await stored()).not.toHaveProperty('answer');
    expect((await connections.summaries()).map(({ isDefault }) => isDefault)).toEqual([true]);
    expect(named(events, 'sign_in.completed')).toEqual([
      {
        event: 'sign_in.completed',
        provider: 'acme',
        connection: 'default',
        outcome: 'ok',
        detail: 'by the program itself',
      },
    ]);
  });

  it('gets the same phantoms at every sign-in', async () => {
    const { signIn, stored } = open();
    const first = await signIn();
    const second = await signIn();
    expect(second.fields.access_token).toBe(first.fields.access_token);
    expect(second.fields.refresh_token).toBe(first.fields.refresh_token);
    expect(await stored()).toMatchObject({ accessToken: accessToken(2), refreshToken: refreshToken(2) });
  });

  it('may do so twice at once: the later grant stays, whole', async () => {
    const { signIn, stored } = open();
    const [one, two] = await Promise.all([signIn(), signIn()]);
    expect(one.fields.access_token).toBe(two.fields.access_token);
    const { accessToken: access, refreshToken: renewal } = await stored();
    expect([
      [accessToken(1), refreshToken(1)],
      [accessToken(2), refreshToken(2)],
    ]).toContainEqual([access, renewal]);
  });

  it('may send a form, and gets a refusal of the service as it is', async () => {
    const body = '{"error":"invalid_grant","error_description":"no such code"}';
    const { ask, connections, events } = open(
      () =>
        new Response(body, {
          status: 400,
          headers: { 'content-type': 'application/json', 'x-request-id': 'r1' },
        }),
    );
    const { status, text, headers } = await ask('grant_type=authorization_code&code=c0de');
    expect([status, text]).toEqual([400, body]);
    expect(headers).toContainEqual(['x-request-id', 'r1']);
    expect(await connections.summaries()).toEqual([]);
    expect(named(events, 'sign_in.completed')).toEqual([]);
  });

  it.each([
    ['is no JSON', () => new Response('<html>', { headers: { 'content-type': 'text/html' } })],
    ['is a form', () => new Response(`access_token=${accessToken(1)}`)],
    ['is a list', () => Response.json([{ access_token: accessToken(1) }])],
    ['has no token', () => Response.json({ token_type: 'Bearer', refresh_token: refreshToken(1) })],
    ['has an empty token', () => Response.json({ access_token: '' })],
    ['has a token that is no text', () => Response.json({ access_token: { value: accessToken(1) } })],
    ['has a token with a control character', () => Response.json({ access_token: `${accessToken(1)}\n` })],
    [
      'has a refresh token with one',
      () => Response.json({ access_token: 'aaaa', refresh_token: 'b\u0000b' }),
    ],
    [
      'repeats the token',
      () => Response.json({ access_token: accessToken(1), again: [`x ${accessToken(1)}`] }),
    ],
    ['is an error with a token', () => Response.json({ access_token: accessToken(1) }, { status: 400 })],
    ['is nested too deeply', () => new Response(`${'{"a":'.repeat(60)}1${'}'.repeat(60)}`)],
  ])('gets nothing of an answer that %s, and nothing is stored', async (_, answer) => {
    const { signIn, connections, events } = open(answer);
    await expect(signIn()).rejects.toMatchObject({ code: 'UpstreamMalformed' });
    await expect(signIn()).rejects.not.toMatchObject({ message: expect.stringContaining('real') });
    expect(await connections.summaries()).toEqual([]);
    expect(named(events, 'sign_in.completed')).toEqual([]);
    expect(named(events, 'sign_in.failed')).toHaveLength(2);
  });

  it('is told what the endpoint takes where its request cannot be read', async () => {
    const { ask, sent } = open();
    const answers = [
      await ask('grant_type=refresh_token&grant_type=authorization_code&code=1'),
      await ask('{', { headers: [['content-type', 'application/json']] }),
      await ask('a=b', { headers: [['content-type', 'text/plain']] }),
    ];
    expect(answers.map(({ status, fields }) => [status, fields.error])).toEqual(
      answers.map(() => [400, 'invalid_request']),
    );
    expect(sent).toEqual([]);
  });
});

describe('a refresh by a program', () => {
  it('is answered from the vault while the token is fresh', async () => {
    const { signIn, refresh, sent, clock } = open();
    const { fields: first } = await signIn();
    clock.nowMs += 600_000;
    const { status, fields } = await refresh(first.refresh_token);
    expect(status).toBe(200);
    expect(fields).toEqual({ ...first, expires_in: 3_000 });
    expect(sent).toHaveLength(1);
  });

  it('goes through the one refresher of the connection once the token is due', async () => {
    const { signIn, refresh, sent, clock, stored, events } = open();
    const { fields: first } = await signIn();
    clock.nowMs += 3_500_000;
    const answers = await Promise.all([refresh(first.refresh_token), refresh(first.refresh_token)]);
    for (const { fields } of answers) expect(fields).toEqual({ ...first, expires_in: 3_600 });
    expect(sent).toHaveLength(2);
    expect(JSON.parse(sent[1]?.body ?? '')).toMatchObject({
      grant_type: 'refresh_token',
      refresh_token: refreshToken(1),
      client_id: 'program',
    });
    expect(await stored()).toMatchObject({ accessToken: accessToken(2), refreshToken: refreshToken(2) });
    expect(named(events, 'token.refreshed')).toHaveLength(1);
  });

  it('has the claims of the newest answer', async () => {
    const { signIn, refresh, clock } = open((_, count) =>
      Response.json({
        access_token: accessToken(count),
        refresh_token: refreshToken(count),
        id_token: jwt({ plan: count === 1 ? 'free' : 'max' }),
        expires_in: 3_600,
      }),
    );
    const { fields: first } = await signIn();
    clock.nowMs += 3_500_000;
    const { fields } = await refresh(first.refresh_token);
    const payload = String(fields.id_token).split('.')[1] ?? '';
    expect(JSON.parse(Buffer.from(payload, 'base64url').toString())).toEqual({ plan: 'max' });
  });

  it('knows the end that a token names itself where the answer names none', async () => {
    const { signIn, refresh, clock, sent } = open((_, count) =>
      Response.json({
        access_token: jwt({ exp: Math.floor(clock.nowMs / 1000) + 1_000, n: count }),
        refresh_token: refreshToken(count),
      }),
    );
    const { fields: first } = await signIn();
    expect((await refresh(first.refresh_token)).fields.expires_in).toBeGreaterThan(990);
    expect(sent).toHaveLength(1);
    clock.nowMs += 900_000;
    await refresh(first.refresh_token);
    expect(sent).toHaveLength(2);
  });

  it('takes over a grant that the program has from elsewhere', async () => {
    const { refresh, stored } = open();
    const { status, text, fields } = await refresh('rt-from-a-file');
    expect(status).toBe(200);
    expect(text).not.toMatch(/x1Y2|z3W4/);
    expect(fields.refresh_token).toMatch(/phantom/);
    expect(await stored()).toMatchObject({ refreshToken: refreshToken(1) });
  });

  it('keeps the refresh token that was sent where the service sends no new one', async () => {
    const { refresh, stored } = open(() => Response.json({ access_token: accessToken(1), expires_in: 60 }));
    const { fields } = await refresh('rt-from-a-file');
    expect(fields).not.toHaveProperty('refresh_token');
    expect(await stored()).toMatchObject({ refreshToken: 'rt-from-a-file' });
  });

  it('is refused with invalid_grant for a phantom that is not a refresh token of this run here', async () => {
    const { signIn, refresh, ask, providers, sent, stored } = open();
    const acme = await signIn();
    const other = providers[1] as Provider;
    const ofOther = await ask({ grant_type: 'authorization_code', code: 'c' }, { provider: other });
    const before = sent.length;
    const answers = [
      await refresh(ofOther.fields.refresh_token),
      await refresh(acme.fields.access_token),
      await refresh(acme.fields.refresh_token, { mayUse: () => false }),
      await refresh('rt-phantomOfSomebodyElseZ9y8X7w6'),
      await ask({ grant_type: 'authorization_code', code: acme.fields.refresh_token }),
      await ask({ grant_type: 'token-exchange', subject_token: acme.fields.id_token }),
      await ask({ grant_type: 'refresh_token', nested: { deep: [acme.fields.refresh_token] } }),
    ];
    for (const { status, fields, failure } of answers) {
      expect([status, fields.error, failure?.code]).toEqual([400, 'invalid_grant', 'PhantomMisplaced']);
      expect(fields.error_description).not.toMatch(/phantom[A-Za-z0-9]/);
    }
    expect(sent).toHaveLength(before);
    expect(await stored()).toMatchObject({ accessToken: accessToken(1) });
  });

  it('is refused with invalid_grant once the connection is gone', async () => {
    const { signIn, refresh, connections, sent } = open();
    const { fields } = await signIn();
    await connections.logout('acme');
    expect((await refresh(fields.refresh_token)).fields.error).toBe('invalid_grant');
    expect(sent).toHaveLength(1);
  });

  it('is refused with invalid_grant when the service ends the grant, and later when it cannot be reached', async () => {
    let answer = (): Response => Response.json({ error: 'invalid_grant' }, { status: 400 });
    const { signIn, refresh, clock } = open((_, count) =>
      count === 1
        ? Response.json({ access_token: accessToken(1), refresh_token: refreshToken(1), expires_in: 100 })
        : answer(),
    );
    const { fields } = await signIn();
    clock.nowMs += 200_000;
    answer = () => new Response('', { status: 503 });
    expect(await refresh(fields.refresh_token)).toMatchObject({
      status: 503,
      fields: { error: 'temporarily_unavailable' },
    });
    clock.nowMs += 3_600_000;
    answer = () => Response.json({ error: 'invalid_grant' }, { status: 400 });
    expect(await refresh(fields.refresh_token)).toMatchObject({
      status: 400,
      fields: { error: 'invalid_grant' },
    });
  });
});

describe('a program that signs out', () => {
  it('is answered, and the connection stays for the others', async () => {
    const { signIn, ask, stored, sent } = open();
    const { fields } = await signIn();
    const { status } = await ask(`token=${encodeURIComponent(fields.refresh_token)}`, { path: '/revoke' });
    expect(status).toBe(200);
    expect(sent).toHaveLength(1);
    expect(await stored()).toMatchObject({ accessToken: accessToken(1) });
  });

  it('revokes a token of its own at the service', async () => {
    const { ask, sent } = open(() => new Response(null, { status: 200 }));
    expect((await ask('token=rt-from-a-file', { path: '/revoke' })).status).toBe(200);
    expect(sent.map(({ url, body }) => [url, body])).toEqual([
      ['https://login.acme.example/revoke', 'token=rt-from-a-file'],
    ]);
  });
});
