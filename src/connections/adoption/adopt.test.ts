import { describe, expect, it } from 'vitest';
import { compileCaptures, type Provider, parseProvider } from '../../providers/index.ts';
import { createConnections } from '../connections.ts';
import { openFixture } from '../testing/test-fixture.ts';
import type { AdoptionRequest } from './adopt.ts';

/** A program whose client has a secret, at an endpoint that others use too. */
const gemini = parseProvider(
  {
    name: 'gemini',
    auth_type: 'oauth2',
    api_url: 'api.gemini.example',
    oauth: {
      authorization_url: 'https://login.gemini.example/authorize',
      token_url: 'https://login.gemini.example/token',
      token_endpoint_auth_method: 'client_secret_post',
    },
    client: { client_id: 'program' },
    capture: {
      client_ids: ['program'],
      programs: ['gemini'],
      token_endpoints: [{ url: 'https://login.gemini.example/token' }],
      secrets: { access_token: {}, refresh_token: {}, id_token: { shape: 'jwt', claims: ['email'] } },
      account: 'id_token.email',
    },
  },
  'bundled',
);
const plain = parseProvider(
  { name: 'plain', auth_type: 'api_key', api_url: 'api.plain.example', api_key: { header_name: 'X-Key' } },
  'bundled',
);
const claims = Buffer.from('{"email":"ann@example.com","hidden":"secret-claim"}').toString('base64url');
const secrets = {
  access_token: `at-${'a1B2'.repeat(8)}`,
  refresh_token: `rt-${'c3D4'.repeat(8)}`,
  id_token: `${Buffer.from('{"alg":"RS256"}').toString('base64url')}.${claims}.c2lnbmVk`,
};

/** A service that takes the client secret `right`, and a principal's connections beside it. */
function open() {
  const sent: URLSearchParams[] = [];
  const { options, clock } = openFixture([gemini, plain], {
    fetchFor: () => async (input, init) => {
      const body = new URLSearchParams(await new Request(input, init).text());
      sent.push(body);
      if (body.get('client_secret') !== 'right')
        return Response.json({ error: 'invalid_client' }, { status: 401 });
      const token = `at-${`e5F${sent.length}`.repeat(8)}`;
      return Response.json({ access_token: token, token_type: 'Bearer', expires_in: 3_600 });
    },
  });
  const connections = createConnections(options);
  const adopt = (more: Partial<AdoptionRequest> = {}, onlyPrepare = false) =>
    connections.adopt(
      {
        provider: 'gemini',
        connection: undefined,
        force: false,
        secrets,
        scopes: ['a'],
        expiresAtMs: clock.nowMs + 3_600_000,
        ...more,
      },
      { onlyPrepare },
    );
  const program = async (fields: Readonly<Record<string, string>>) => {
    const match = compileCaptures([gemini])?.match('login.gemini.example', 443, '/token');
    if (match?.kind !== 'endpoint') throw new Error('no such endpoint');
    const { status, body } = await connections.programs.answer({
      route: match.route,
      provider: gemini as Provider,
      connection: 'default',
      mayUse: () => true,
      query: '',
      headers: [['content-type', 'application/x-www-form-urlencoded']],
      body: Buffer.from(new URLSearchParams(fields).toString()),
    });
    return { status, fields: JSON.parse(Buffer.from(body).toString('utf8')) };
  };
  const refresh = (token: string | undefined, clientSecret: string) =>
    program({
      ...{ grant_type: 'refresh_token', refresh_token: token ?? '' },
      ...{ client_id: 'program', client_secret: clientSecret },
    });
  const stored = async () => await connections.read('gemini', undefined, { showSecret: false });
  return { connections, clock, sent, adopt, program, refresh, stored };
}

describe('a sign-in that is taken over', () => {
  it('is a connection, whose phantoms are those that were prepared', async () => {
    const { connections, adopt, stored } = open();
    const prepared = await adopt({}, true);
    await expect(stored()).rejects.toMatchObject({ code: 'ConnectionNotFound' });
    const adopted = await adopt();
    expect(adopted).toEqual(prepared);
    expect(adopted.connection).toBe('gemini/default');
    expect(adopted.phantoms.access_token).toBe(connections.phantoms.newest('gemini/default'));
    expect(JSON.stringify(adopted)).not.toMatch(/a1B2|c3D4/);
    const payload = adopted.phantoms.id_token?.split('.')[1] ?? '';
    expect(JSON.parse(Buffer.from(payload, 'base64url').toString())).toEqual({ email: 'ann@example.com' });
    expect(await stored()).toMatchObject({ account: 'ann@example.com', scopes: ['a'], refreshable: true });
    expect(await stored()).not.toHaveProperty('clientSecret');
  });

  it('is refused where there is one, and where it is none', async () => {
    const { adopt, stored } = open();
    const { phantoms } = await adopt();
    await expect(adopt()).rejects.toMatchObject({ code: 'ConnectionExists' });
    const again = { force: true, secrets: phantoms };
    await expect(adopt(again)).rejects.toMatchObject({ code: 'InvalidKey' });
    for (const bad of [{ access_token: 'with\nlines' }, { access_token: '' }, { refresh_token: 'rt' }, {}]) {
      await expect(adopt({ force: true, secrets: bad as Record<string, string> })).rejects.toMatchObject({
        code: 'InvalidKey',
      });
    }
    await expect(adopt({ provider: 'plain' })).rejects.toMatchObject({ code: 'OperationNotAllowed' });
    expect((await stored()).account).toBe('ann@example.com');
  });
});

describe('the secret of a program’s client', () => {
  it('comes with the first refresh of the program, and is used for all later ones', async () => {
    const { adopt, refresh, clock, sent, connections } = open();
    const { phantoms } = await adopt();
    clock.nowMs += 3_600_000;
    await expect(connections.credentials.acquire('gemini/default')).rejects.toMatchObject({
      code: 'RefreshFailed',
    });
    expect(sent).toEqual([]);
    const first = await refresh(phantoms.refresh_token, 'right');
    expect([first.status, first.fields.access_token]).toEqual([200, phantoms.access_token]);
    expect(sent.map((body) => body.get('refresh_token'))).toEqual([secrets.refresh_token]);
    clock.nowMs += 3_600_000;
    await connections.credentials.acquire('gemini/default');
    expect(sent.map((body) => body.get('client_secret'))).toEqual(['right', 'right']);
  });

  it('is not kept when the service does not take it', async () => {
    const { adopt, refresh, clock, sent } = open();
    const { phantoms } = await adopt();
    clock.nowMs += 3_600_000;
    expect((await refresh(phantoms.refresh_token, 'wrong')).status).not.toBe(200);
    clock.nowMs += 3_600_000;
    expect((await refresh(phantoms.refresh_token, 'right')).status).toBe(200);
    expect(sent.at(-1)?.get('client_secret')).toBe('right');
  });
});

describe('another program at the same endpoint', () => {
  it('gets what the service answers, and nothing is kept', async () => {
    const { program, stored } = open();
    const fields = { grant_type: 'authorization_code', code: 'c', client_secret: 'right' };
    for (const client of [{ client_id: 'another' }, {}] as const) {
      const answered = await program({ ...fields, ...client });
      expect(answered.fields.access_token).toMatch(/^at-e5F/);
    }
    await expect(stored()).rejects.toMatchObject({ code: 'ConnectionNotFound' });
  });

  it('gets nothing for a phantom', async () => {
    const { adopt, program, sent } = open();
    const { phantoms } = await adopt();
    const answered = await program({
      ...{ grant_type: 'refresh_token', refresh_token: phantoms.refresh_token ?? '' },
      ...{ client_id: 'another', client_secret: 'right' },
    });
    expect([answered.status, answered.fields.error, sent]).toEqual([400, 'invalid_grant', []]);
  });
});
