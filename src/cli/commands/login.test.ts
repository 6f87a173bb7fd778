import { describe, expect, it } from 'vitest';
import type { AuthSessionDocument, Client, InspectDocument, LoginRequest } from '../../client/index.ts';
import { AuthsomeError } from '../../errors.ts';
import type { SignInInput } from '../login/input.ts';
import type { LoginOptions } from '../login/request.ts';
import { type TestContextOptions, testContext } from '../test-context.ts';
import { login } from './login.ts';

const redirectUri = 'http://127.0.0.1:7998/auth/callback/oauth';
const waiting: AuthSessionDocument = {
  v: 1,
  session_id: 'ses_1',
  provider: 'github',
  display_name: 'GitHub',
  connection: 'default',
  flow: 'pkce',
  status: 'waiting',
  revision: 1,
  auth_url: 'http://127.0.0.1:7998/auth/sessions/ses_1/ticket',
  in_browser: false,
  excludes_others: true,
  provider_url: 'https://github.com/login/oauth/authorize?state=s',
  provider_url_expires_at: null,
  accepts_secret: false,
  accepts_client: false,
  redirect_uri: redirectUri,
  warnings: [],
  failure: null,
  base_url: null,
  requested_scopes: [],
  sign_in_again: 'authsome login github --connection work --force',
  scopes: [],
  expires_at: null,
  account: null,
};
const connected: AuthSessionDocument = {
  ...waiting,
  status: 'connected',
  revision: 9,
  scopes: ['repo'],
  account: 'octocat',
};

interface Play extends TestContextOptions {
  readonly session?: AuthSessionDocument;
  readonly definition?: Record<string, unknown>;
  readonly options?: Partial<LoginOptions>;
  readonly input?: Partial<SignInInput>;
  /** What each wait brings; the last one for ever after. */
  readonly waits?: readonly (AuthSessionDocument | Error)[];
  /** Answers after which the session is connected. */
  readonly endsWithAnswer?: boolean;
}

async function play({ session = waiting, waits = [], ...rest }: Play) {
  const calls: string[] = [];
  const opened: (readonly (readonly string[])[])[] = [];
  /** What a page in a file leads to, and what became of the file. */
  const files: string[] = [];
  const interruption = new AbortController();
  let request: LoginRequest | undefined;
  let left = [...waits];
  let wake: (() => void) | undefined;
  const answer = (what: string) => async (_: string, value: string) => {
    calls.push(`${what} ${value}`);
    if (value === 'bad') throw new AuthsomeError('InvalidKey', 'that is not a key');
    left = [connected];
    wake?.();
    return connected;
  };
  const client: Partial<Client> = {
    inspectProvider: async () =>
      ({ v: 1, source: 'bundled', flow: 'pkce', ...rest.definition }) as unknown as InspectDocument,
    login: async (asked) => {
      request = asked;
      return session;
    },
    authSession: async (_, options) => {
      if (left.length === 0) {
        await new Promise<void>((resolve, reject) => {
          wake = resolve;
          if (options?.signal?.aborted === true) reject(new AuthsomeError('Cancelled', 'cancelled'));
          options?.signal?.addEventListener('abort', () =>
            reject(new AuthsomeError('Cancelled', 'cancelled')),
          );
        });
      }
      const next = left.shift() ?? session;
      if (next instanceof Error) throw next;
      return next;
    },
    renewProviderUrl: async (id) => {
      calls.push(`renew ${id}`);
      left = [{ ...session, revision: session.revision + 1, provider_url: `${session.provider_url}2` }];
      wake?.();
      return session;
    },
    answerCallback: answer('callback'),
    answerSecret: answer('secret'),
    answerClient: async (id, { clientId, clientSecret }) =>
      answer('client')(id, clientId === 'bad' ? 'bad' : `${clientId} ${clientSecret}`),
    cancelAuthSession: async (id) => {
      calls.push(`cancel ${id}`);
      left = [{ ...session, status: 'cancelled', revision: 8 }];
      wake?.();
      return session;
    },
  };
  const { context, output } = testContext({ ...rest, client });
  const input: SignInInput = {
    isTerminal: false,
    isPipe: false,
    lines: () => {},
    piped: async () => undefined,
    text: async () => undefined,
    secret: async () => undefined,
    ...rest.input,
  };
  const ending = login(
    context,
    { provider: 'github', force: false, browser: true, yes: false, ...rest.options },
    {
      input,
      interrupted: interruption.signal,
      openBrowser: async (commands) => {
        opened.push(commands);
        return true;
      },
      writeRedirectFile: (name, target) => {
        files.push(`${name} to ${target}`);
        return { url: `file:///home/${name}.html`, remove: () => void files.push('removed') };
      },
    },
  );
  return { ending, output, calls, opened, files, interruption, request: () => request };
}

describe('login', () => {
  it('prints the URL, opens the browser there, and says what was granted', async () => {
    const { ending, output, opened } = await play({ waits: [connected], environment: { BROWSER: 'b' } });
    await ending;
    expect(output.stderr).toContain(`open on this machine:\n  ${waiting.auth_url}\n`);
    expect(output.stderr).toContain(
      `On another device, open the authorization URL:\n  ${waiting.provider_url}\n`,
    );
    expect(output.stderr).toContain('✓ Connected github/default as octocat\n  granted: repo\n');
    expect(output.stdout).toBe('');
    expect(opened).toEqual([[['b', waiting.auth_url]]]);
  });

  it('keeps the address out of the arguments of a browser where other users can use it', async () => {
    const session = { ...waiting, excludes_others: false };
    const environment = { BROWSER: 'b' };
    const { ending, opened, files } = await play({ session, waits: [connected], environment });
    await ending;
    expect(opened).toEqual([[['b', 'file:///home/ses_1.html']]]);
    expect(files).toEqual([`ses_1 to ${waiting.auth_url}`, 'removed']);
    const direct = await play({ waits: [connected], environment });
    await direct.ending;
    expect(direct.files).toEqual([]);
  });

  it('removes the file as soon as a browser has used it', async () => {
    const session = { ...waiting, excludes_others: false };
    const used = { ...session, revision: 2, in_browser: true };
    const { ending, files, interruption } = await play({
      session,
      waits: [used],
      environment: { BROWSER: 'b' },
    });
    await expect.poll(() => files).toHaveLength(2);
    interruption.abort();
    await expect(ending).rejects.toMatchObject({ code: 'Cancelled' });
  });

  it('writes no file for a page that anybody may open', async () => {
    const verification_uri = 'https://github.com/login/device';
    const session = { ...waiting, excludes_others: false, verification_uri, user_code: 'WDJB-MJHT' };
    const { ending, opened, files } = await play({
      session,
      waits: [connected],
      environment: { BROWSER: 'b' },
    });
    await ending;
    expect(opened).toEqual([[['b', verification_uri]]]);
    expect(files).toEqual([]);
  });

  it('speaks in JSON lines under --json, and opens nothing', async () => {
    const { ending, output, opened } = await play({
      waits: [connected],
      json: true,
      environment: { BROWSER: 'b' },
    });
    await ending;
    expect(
      output.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      {
        v: 1,
        status: 'waiting',
        provider: 'github',
        connection: 'default',
        flow: 'pkce',
        session_id: 'ses_1',
        auth_url: waiting.auth_url,
        provider_url: waiting.provider_url,
      },
      {
        v: 1,
        status: 'connected',
        provider: 'github',
        connection: 'default',
        scopes: ['repo'],
        expires_at: null,
        account: 'octocat',
      },
    ]);
    expect(opened).toEqual([]);
  });

  it('shows a foreign state as soon as it arrives, and continues to wait', async () => {
    const warned = {
      ...waiting,
      revision: 2,
      warnings: [
        { error: 'StateMismatch', message: 'OAuth state parameter does not match', hint: 'Close the tab.' },
      ],
    };
    const { ending, output } = await play({ waits: [warned, { ...warned, revision: 3 }, connected] });
    await ending;
    expect(
      output.stderr.match(/Error: OAuth state parameter does not match\n {2}Close the tab\.\n/g),
    ).toHaveLength(1);
    expect(output.stderr).toContain('Still waiting for you to sign in');
  });

  it('takes a pasted redirect URL, and only that', async () => {
    const pasted = `${redirectUri}?code=c&state=s`;
    const { ending, output, calls } = await play({
      input: {
        isTerminal: true,
        lines: (_, take) => {
          take('what?');
          take(` ${pasted} `);
        },
      },
    });
    await ending;
    expect(calls).toEqual([`callback ${pasted}`]);
    expect(output.stderr).toContain('Paste the final address here');
    expect(output.stderr).toContain('That is not the final address');
  });

  it('says that an address works once, and asks for another one on Enter', async () => {
    const provider_url_expires_at = new Date(Date.parse('2026-01-01T00:00:45Z')).toISOString();
    const pasted = `${redirectUri}?code=c&state=s`;
    const played = await play({
      session: { ...waiting, provider_url_expires_at },
      input: {
        isTerminal: true,
        lines: (signal, take) => {
          take('');
          const pasteOnceShown = (): void => {
            if (played.output.stderr.includes(`${waiting.provider_url}2\n`)) take(pasted);
            else if (!signal.aborted) setImmediate(pasteOnceShown);
          };
          setImmediate(pasteOnceShown);
        },
      },
    });
    await played.ending;
    expect(played.calls).toEqual(['renew ses_1', `callback ${pasted}`]);
    expect(played.output.stderr).toContain(
      '  It works once, within 45 seconds. For a new one, press Enter\n',
    );
  });

  it('says how to get a new address without a terminal, and tells programs when it expires', async () => {
    const session = { ...waiting, provider_url_expires_at: '2030-01-01T00:00:00.000Z' };
    const { ending, output } = await play({ session, waits: [connected] });
    await ending;
    expect(output.stderr).toContain('For a new one, run: authsome login --status ses_1\n');
    const asked = await play({ session, waits: [connected], json: true });
    await asked.ending;
    expect(JSON.parse(asked.output.stdout.split('\n')[0] ?? '')).toMatchObject({
      status: 'waiting',
      provider_url_expires_at: session.provider_url_expires_at,
    });
  });

  it('does nothing on Enter while an address lasts as long as the sign-in', async () => {
    const { ending, calls, output } = await play({
      waits: [connected],
      input: { isTerminal: true, lines: (_, take) => take('') },
    });
    await ending;
    expect(calls).toEqual([]);
    expect(output.stderr).not.toContain('works once');
  });

  it('cancels the sign-in on Ctrl-C', async () => {
    const definition = { setup: { url: 'https://github.com/settings/developers' } };
    const { ending, calls, interruption } = await play({ definition });
    interruption.abort();
    await expect(ending).rejects.toMatchObject({
      code: 'Cancelled',
      hint: expect.stringContaining(`\n${redirectUri}\nat https://github.com/settings/developers\n`),
    });
    expect(calls).toEqual(['cancel ses_1']);
  });

  it('survives a daemon that restarts during the sign-in', async () => {
    const broke = new AuthsomeError('DaemonUnavailable', 'the connection broke');
    const { ending } = await play({ waits: [broke, connected] });
    await ending;
  });

  it('fails with the provider’s error, its words and the hint', async () => {
    const failure = {
      error: 'TokenExchangeFailed',
      message: 'token exchange failed: invalid_client',
      hint: 'Run: …',
    };
    const { ending } = await play({ waits: [{ ...waiting, revision: 2, status: 'failed', failure }] });
    await expect(ending).rejects.toMatchObject({
      code: 'TokenExchangeFailed',
      message: failure.message,
      hint: 'Run: …',
    });
  });

  it('fails when nothing came back', async () => {
    const { ending } = await play({ waits: [{ ...waiting, revision: 2, status: 'expired' }] });
    await expect(ending).rejects.toMatchObject({
      code: 'SignInExpired',
      hint: 'Start again with: authsome login github --connection work --force',
    });
  });
});

describe('login that needs a client', () => {
  const session = { ...waiting, accepts_client: true, provider_url: null };
  const definition = {
    setup: { url: 'https://github.com/settings/developers', steps: ['Choose "New OAuth App".'] },
  };
  const never = () => new Promise<undefined>(() => {});

  it('asks for it at a terminal without a browser, with all that registering it takes', async () => {
    const ids = ['bad', 'the-id'];
    const secrets = ['wrong', 'the-secret'];
    const { ending, calls, output } = await play({
      session,
      definition,
      input: { isTerminal: true, text: async () => ids.shift(), secret: async () => secrets.shift() },
    });
    await ending;
    expect(calls).toEqual(['client bad', 'client the-id the-secret']);
    expect(output.stderr).toContain('needs an OAuth app (one-time setup)');
    expect(output.stderr).toContain('  1. Choose "New OAuth App".\n');
    expect(output.stderr).toContain('  Register it at: https://github.com/settings/developers\n');
    expect(output.stderr).toContain(`  Redirect URI:   ${redirectUri}\n`);
    expect(output.stderr).not.toContain('the-secret');
  });

  it('leaves it to the page where a browser shows it', async () => {
    const asked: string[] = [];
    const text = async (message: string) => {
      asked.push(message);
      return undefined;
    };
    const { ending, output } = await play({
      session,
      waits: [connected],
      environment: { DISPLAY: ':0' },
      input: { isTerminal: true, text },
    });
    await ending;
    expect(asked).toEqual([]);
    expect(output.stderr).toContain(`open on this machine:\n  ${session.auth_url}\n`);
  });

  it('continues at the provider when the page was quicker', async () => {
    const signals: AbortSignal[] = [];
    const { ending, output } = await play({
      session,
      waits: [{ ...waiting, revision: 2 }, connected],
      input: {
        isTerminal: true,
        text: async (_, signal) => {
          signals.push(signal);
          return never();
        },
      },
    });
    await ending;
    expect(signals.map((signal) => signal.aborted)).toEqual([true]);
    expect(output.stderr).toContain(`open the authorization URL:\n  ${waiting.provider_url}\n`);
    expect(output.stderr).toContain(`If GitHub refuses the redirect URI, register exactly ${redirectUri}`);
  });

  it('is cancelled by Ctrl-C', async () => {
    const { ending, calls } = await play({
      session,
      input: { isTerminal: true, text: async () => 'the-id', secret: async () => undefined },
    });
    await expect(ending).rejects.toMatchObject({ code: 'Cancelled' });
    expect(calls).toEqual(['cancel ses_1']);
  });

  it('asks nothing of a program', async () => {
    const { ending, output } = await play({
      session,
      waits: [connected],
      json: true,
      input: { isTerminal: true },
    });
    await ending;
    expect(output.stderr).toBe('');
  });
});

describe('login without a browser, at a service with a device flow', () => {
  const definition = { oauth: { supports_device_code: true } };
  const answering = (answer: string | undefined) => ({
    definition,
    waits: [connected],
    input: { isTerminal: true, text: async () => answer },
  });

  it.each(['', 'y', 'Yes'])('takes the device flow when the answer is %j', async (answer) => {
    const { ending, request } = await play(answering(answer));
    await ending;
    expect(request()?.flow).toBe('device_code');
  });

  it('keeps to the usual flow when the answer is no', async () => {
    const { ending, request } = await play(answering('n'));
    await ending;
    expect(request()?.flow).toBeUndefined();
  });

  it('is cancelled by Ctrl-C at the question, before anything was begun', async () => {
    const played = play(answering(undefined));
    await expect(played.then(({ ending }) => ending)).rejects.toMatchObject({ code: 'Cancelled' });
  });

  it('only prints a hint without a terminal, and asks nothing where there is a browser', async () => {
    const piped = await play({ definition, waits: [connected] });
    await piped.ending;
    expect(piped.output.stderr).toContain('authsome login github --flow device_code');
    const shown = await play({ ...answering(undefined), environment: { DISPLAY: ':0' } });
    await shown.ending;
    expect(shown.request()?.flow).toBeUndefined();
  });
});

describe('login with a key', () => {
  const session = {
    ...waiting,
    flow: 'api_key',
    accepts_secret: true,
    provider_url: null,
  };
  const definition = { flow: 'api_key', api_key: { env_var: 'ACME_KEY' } };

  it('takes it from the variable that the definition names, and says so', async () => {
    const { ending, output, request } = await play({
      session: connected,
      definition,
      environment: { ACME_KEY: 'sk-secret', OTHER: 'x' },
    });
    await ending;
    expect(request()).toEqual({ provider: 'github', force: false, api_key: 'sk-secret' });
    expect(output.stderr).toContain('Using the key in ACME_KEY.');
    expect(output.stdout + output.stderr).not.toContain('sk-secret');
  });

  it('takes it from a pipe', async () => {
    const { ending, calls } = await play({ session, definition, input: { piped: async () => 'sk-piped' } });
    await ending;
    expect(calls).toEqual(['secret sk-piped']);
  });

  it('fails when a piped key is refused, and leaves no sign-in behind', async () => {
    const { ending, calls } = await play({ session, definition, input: { piped: async () => 'bad' } });
    await expect(ending).rejects.toMatchObject({ code: 'InvalidKey' });
    expect(calls).toEqual(['secret bad', 'cancel ses_1']);
  });

  it('asks at a terminal without a display, again when it is refused', async () => {
    const typed = ['bad', 'sk-typed'];
    const { ending, calls, output } = await play({
      session,
      definition,
      input: { isTerminal: true, secret: async () => typed.shift() },
    });
    await ending;
    expect(calls).toEqual(['secret bad', 'secret sk-typed']);
    expect(output.stderr).toContain('Error: that is not a key');
  });

  it('asks nothing at the terminal while a browser shows the page', async () => {
    const asked: string[] = [];
    const { ending, interruption } = await play({
      session,
      definition,
      environment: { DISPLAY: ':0' },
      input: {
        isTerminal: true,
        secret: async (message) => {
          asked.push(message);
          return undefined;
        },
      },
    });
    interruption.abort();
    await expect(ending).rejects.toMatchObject({ code: 'Cancelled' });
    expect(asked).toEqual([]);
  });
});
