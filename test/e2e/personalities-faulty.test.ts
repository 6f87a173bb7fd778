/** Servers that respond in unusual shapes, lie, stall or die: real ones, whose responses are changed before they are sent. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Chromium, launchChromium } from '../support/chromium.ts';
import { type Acme, connectAcme, createAcme, lastDocument, register } from '../support/fixture.ts';
import { type Company, consent, inCompany, issuer, told } from '../support/person.ts';
import { acme, hosts } from '../support/service/index.ts';
import { authUrlOf } from '../support/sign-in.ts';
import { changeResponses, holdTokenRequest, interceptAnswers } from '../support/token-endpoint.ts';

const me = `https://${hosts.api}/v1/me`;

let fixture: Acme;
let chromium: Chromium;
beforeAll(async () => {
  fixture = await createAcme();
  // The client is known from here on, so that a sign-in begins on the provider's page.
  await connectAcme(fixture);
  chromium = await launchChromium(fixture.service);
});
afterAll(async () => {
  await chromium.close();
  await fixture.close();
});

/** A person with a fresh browser, who says yes to a sign-in that is called `connection`. */
async function signIn(connection: string) {
  const context = await chromium.context();
  try {
    const company: Company = { ...fixture, page: await context.newPage(), asked: [] };
    // A step that is taken once more finds what it stored the first time.
    const args = ['login', 'acme', '--connection', connection, '--force'];
    const running = fixture.startAuthsome([...args, '--json', '--no-browser']);
    await company.page.goto(await authUrlOf(running));
    await consent(company);
    return { page: await told(company), outcome: await running.ended };
  } finally {
    fixture.service.authorization.misbehave(undefined);
    await context.close();
  }
}

const call = (connection: string) =>
  fixture.authsome(['run', '--connection', `acme=${connection}`, '--', 'curl', '-sS', me]);

async function isStored(connection: string): Promise<boolean> {
  const { providers } = await fixture.json(['list', 'acme']);
  const found = providers.find(({ name }: { name: string }) => name === 'acme');
  return found.connections.some(({ name }: { name: string }) => name === connection);
}

describe('a server is understood', () => {
  it('that replies with forms', async () => {
    interceptAnswers(fixture.service, '/token', (response, body, end) => {
      const fields: Record<string, unknown> = JSON.parse(body);
      const form = Object.entries(fields).map(([name, value]): [string, string] => [name, String(value)]);
      response.setHeader('content-type', 'application/x-www-form-urlencoded');
      end(new URLSearchParams(form).toString());
    });
    const { page, outcome } = await signIn('forms');
    expect([outcome.code, lastDocument(outcome)]).toEqual([
      0,
      expect.objectContaining({ status: 'connected', scopes: ['read', 'write'] }),
    ]);
    expect(page).toContain('Acme is connected');
    expect((await call('forms')).stdout).toContain('"hello":"ada"');
  });

  it('that gives no expires_in', async () => {
    changeResponses(fixture.service, ({ expires_in: _, ...rest }) => rest);
    const { page, outcome } = await signIn('no-end');
    expect([outcome.code, lastDocument(outcome).expires_at]).toEqual([0, null]);
    expect(page).toContain('Acme is connected');
    expect((await call('no-end')).stdout).toContain('"hello":"ada"');
  });

  it('that is slow, but within the timeout', async () => {
    // Its slowness is what is tested.
    interceptAnswers(fixture.service, '/token', (_, body, end) => void setTimeout(end, 8_000, body));
    const { page, outcome } = await signIn('slow');
    expect([outcome.code, lastDocument(outcome)]).toEqual([
      0,
      expect.objectContaining({ status: 'connected' }),
    ]);
    expect(page).toContain('Acme is connected');
    expect((await call('slow')).stdout).toContain('"hello":"ada"');
  });
});

describe('a sign-in fails precisely and stores nothing at a server', () => {
  async function fails(connection: string, code: number, message: string | RegExp, hint: RegExp) {
    const issued = fixture.service.authorization.issued.length;
    const { page, outcome } = await signIn(connection);
    const failure = lastDocument(outcome);
    expect([outcome.code, failure.message, failure.hint]).toEqual([
      code,
      typeof message === 'string' ? message : expect.stringMatching(message),
      expect.stringMatching(hint),
    ]);
    expect(page).toContain('Acme is not connected');
    expect(page).toContain('What to do');
    expect(await isStored(connection)).toBe(false);
    const secrets = fixture.service.authorization.issued
      .slice(issued)
      .flatMap(({ accessToken, refreshToken = '' }) => [accessToken, refreshToken]);
    for (const secret of [...secrets, fixture.client.clientSecret]) {
      expect(outcome.stdout + outcome.stderr + page).not.toContain(secret || undefined);
    }
  }

  it('that says its errors with status 200', async () => {
    interceptAnswers(fixture.service, '/token', (response, _, end) => {
      response.statusCode = 200;
      end(JSON.stringify({ error: 'bad_verification_code', error_description: 'Too late.' }));
    });
    await fails(
      'says-200',
      10,
      'token exchange failed: bad_verification_code',
      /Too late\.".*\n.*login acme/,
    );
  });

  it('that names another issuer in its response', async () => {
    await register(fixture, { ...acme, oauth: { ...acme.oauth, issuer } });
    expect(
      (await fixture.authsome(['register', join(fixture.directory, 'acme.json'), '--force', '--yes'])).code,
    ).toBe(0);
    interceptAnswers(fixture.service, '/authorize', (response, body, end) => {
      const location = String(response.getHeader('location') ?? '');
      if (location.startsWith(fixture.redirectUri)) {
        const back = new URL(location);
        back.searchParams.set('iss', 'https://evil.example');
        response.setHeader('location', back.href);
      }
      end(body);
    });
    const { length } = fixture.service.authorization.issued;
    await fails('other-iss', 10, 'the response is not from the issuer of acme', /Nothing was stored/);
    expect(fixture.service.authorization.issued).toHaveLength(length);
  });

  it('that dies while it sends its response', async () => {
    interceptAnswers(fixture.service, '/token', (response, body) => {
      response.setHeader('content-length', Buffer.byteLength(body));
      response.write(body.slice(0, body.length / 2), () => response.destroy());
    });
    await fails('dies', 8, /login\.acme\.test did not respond: the connection closed before/, /\S/);
  });

  it('that is slower than the timeout; a later response changes nothing, and the next sign-in works', async () => {
    const held = holdTokenRequest(fixture.service, 'answered');
    await fails(
      'too-slow',
      8,
      /^cannot reach the token endpoint at login\.acme\.test: it timed out$/,
      /try again/,
    );
    held.release();
    expect(await isStored('too-slow')).toBe(false);
    const { outcome } = await signIn('too-slow');
    expect(outcome.code).toBe(0);
    expect((await call('too-slow')).stdout).toContain('"hello":"ada"');
  });
});

it('a server whose metadata name another issuer is refused before a browser opens', async () => {
  await inCompany({ features: { registration: { enabled: true } } }, async (company) => {
    const lie = (metadata: object) => ({ ...metadata, issuer: 'https://evil.example' });
    changeResponses(company.service, lie, '/.well-known/oauth-authorization-server');
    const outcome = await company.authsome(['login', issuer, '--json', '--no-browser']);
    expect([outcome.code, lastDocument(outcome).message]).toEqual([
      10,
      'the authorization server metadata names another issuer',
    ]);
    expect(outcome.stdout + outcome.stderr).not.toContain('evil');
    expect(company.asked.filter((what) => !what.includes('/.well-known/'))).toEqual(['GET /', 'POST /']);
    expect((await company.json(['list', '--all'])).providers).not.toContainEqual(
      expect.objectContaining({ name: 'login-acme-test' }),
    );
  });
});
