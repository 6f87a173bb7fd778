import { randomBytes } from 'node:crypto';
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AdoptRequest } from '../../../client/index.ts';
import { AuthsomeError } from '../../../errors.ts';
import { openBackups } from '../../scan/backups.ts';
import { sealerWith } from '../../scan/sealed-copy.ts';
import { undoRewrite } from '../../scan/undo.ts';
import { testContext } from '../../test-context.ts';
import { agents, placesOf, readSignIn } from './agent-files.ts';
import { agentNames } from './names.ts';
import { agentOf, type Machine, noSignIn, takeOver } from './take-over.ts';

let directory: string;
let file: string;
const key = { did: 'did:key:zTest', secret: randomBytes(48) };
const backups = () => openBackups(directory, randomBytes);
const machine = (more: Partial<Machine> = {}): Machine => ({
  home: directory,
  uid: process.getuid?.(),
  exists: existsSync,
  seal: sealerWith({ backups: backups(), key, now: () => 1_700_000_000_000, randomBytes }),
  randomBytes,
  ...more,
});
const original = `{"claudeAiOauth":{"accessToken":"sk-ant-oat01-real","refreshToken":"sk-ant-ort01-real",
  "expiresAt":1800000000000,"scopes":["user:inference"],"subscriptionType":"max"},"mcpOAuth":{"x":{"accessToken":"mcp"}}}\n`;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'authsome-agents-'));
  mkdirSync(join(directory, '.claude'));
  file = join(directory, '.claude', '.credentials.json');
  writeFileSync(file, original, { mode: 0o600 });
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** A daemon that gives phantoms, and what it was asked. */
function daemon(onPrepare: () => void = () => {}, onStore: () => void = () => {}) {
  const asked: AdoptRequest[] = [];
  const adopt = async (provider: string, request: AdoptRequest) => {
    asked.push(request);
    if (request.prepare) onPrepare();
    else onStore();
    const phantoms = Object.entries(request.secrets).map(([name, secret]) => [name, `phantom-of-${secret}`]);
    return { v: 1 as const, connection: `${provider}/default`, phantoms: Object.fromEntries(phantoms) };
  };
  return { asked, stored: () => asked.filter(({ prepare }) => !prepare), adopt };
}

const options = { provider: 'claude-code', force: false, browser: true, yes: true };
const run = (
  client: ReturnType<typeof daemon>,
  more: Partial<Machine> = {},
  chosen: Partial<typeof options> = {},
) => {
  const { context, output } = testContext({ client });
  const agent = agentOf('claude-code');
  if (agent === undefined) throw new TypeError('no such agent');
  return {
    output,
    done: takeOver(context, client as never, {
      agent,
      options: { ...options, ...chosen },
      machine: machine(more),
    }),
  };
};
const text = () => readFileSync(file, 'utf8');
const sealed = () => backups().list().length;

describe('the sign-in of an agent', () => {
  it('is stored, and its file has phantoms and is otherwise the same, byte for byte', async () => {
    const client = daemon();
    const { output, done } = run(client);
    expect(await done).toBe(true);
    expect(client.stored()).toEqual([
      {
        force: false,
        secrets: { access_token: 'sk-ant-oat01-real', refresh_token: 'sk-ant-ort01-real' },
        scopes: ['user:inference'],
        expires_at: '2027-01-15T08:00:00.000Z',
        prepare: false,
      },
    ]);
    expect(text()).toBe(
      original
        .replace('"sk-ant-oat01-real"', '"phantom-of-sk-ant-oat01-real"')
        .replace('"sk-ant-ort01-real"', '"phantom-of-sk-ant-ort01-real"'),
    );
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(output.stderr).toContain('Connected claude-code/default');
    expect(output.stderr).toContain('authsome run -- claude');
    expect(output.stdout + output.stderr).not.toContain('sk-ant-o');
  });

  it('can be put back', async () => {
    await run(daemon()).done;
    undoRewrite({ paths: [file], directory, force: false, backups: backups(), key, randomBytes });
    expect(text()).toBe(original);
  });

  it('is taken as it is when the file is replaced, though the agent renews it meanwhile', async () => {
    let renewals = 0;
    const client = daemon(() => {
      renewals += 1;
      if (renewals === 1) writeFileSync(file, original.replaceAll('-real', '-renewed'));
    });
    await run(client).done;
    expect(client.stored().map(({ secrets }) => secrets.refresh_token)).toEqual(['sk-ant-ort01-renewed']);
    expect(text()).toContain('"phantom-of-sk-ant-ort01-renewed"');
    expect(sealed()).toBe(1);
  });

  it('stays where it is when the agent never stops writing', async () => {
    let count = 0;
    const client = daemon(() => {
      count += 1;
      writeFileSync(file, original.replaceAll('-real', `-${count}`));
    });
    await expect(run(client).done).rejects.toMatchObject({
      message: expect.stringContaining('was changed by another'),
    });
    expect([client.stored(), sealed(), text()]).toEqual([[], 0, original.replaceAll('-real', `-${count}`)]);
  });

  it('is put back when the daemon cannot store it', async () => {
    const client = daemon(undefined, () => {
      throw new AuthsomeError('StorageFull', 'no space left');
    });
    await expect(run(client).done).rejects.toMatchObject({ code: 'StorageFull' });
    expect([text(), sealed()]).toEqual([original, 0]);
  });

  it('stays where it is on a full disk', async () => {
    const client = daemon();
    const seal = () => {
      throw new AuthsomeError('StorageFull', 'no space left');
    };
    await expect(run(client, { seal }).done).rejects.toMatchObject({ code: 'StorageFull' });
    expect([text(), client.stored()]).toEqual([original, []]);
  });

  it('needs a yes', async () => {
    const client = daemon();
    await expect(run(client, {}, { yes: false }).done).rejects.toMatchObject({
      code: 'Usage',
      hint: 'Allow it with: authsome login claude-code --yes',
    });
    expect([text(), client.stored()]).toEqual([original, []]);
  });
});

describe('a file that is not taken over, and not changed', () => {
  const refused = async (more: Partial<Machine> = {}) => {
    const client = daemon();
    const before = text();
    const error = await run(client, more).done.then(
      () => undefined,
      (thrown: AuthsomeError) => thrown,
    );
    expect([text(), client.stored(), sealed()]).toEqual([before, [], 0]);
    expect(readdirSync(join(directory, '.claude')).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    return error?.message;
  };

  it('is a link', async () => {
    const target = join(directory, 'target.json');
    writeFileSync(target, original);
    rmSync(file);
    symlinkSync(target, file);
    expect(await refused()).toContain('is a symbolic link');
  });

  it('has another name', async () => {
    linkSync(file, join(directory, 'other.json'));
    expect(await refused()).toContain('has 2 hard links');
  });

  it('is another user’s', async () => {
    expect(await refused({ uid: (process.getuid?.() ?? 0) + 1 })).toContain('belongs to another user');
  });

  it.each([
    ['no JSON', '{"claudeAiOauth":{"accessToken":"sk'],
    ['no object', '"sk-ant-oat01-real"'],
    ['empty', ''],
  ])('is %s', async (_what, content) => {
    writeFileSync(file, content);
    expect(await refused()).toContain('is not the JSON that Claude Code writes');
  });

  it('has phantoms already', async () => {
    const client = daemon(() => {
      throw new AuthsomeError('InvalidKey', 'phantoms');
    });
    await expect(run(client).done).rejects.toMatchObject({
      message: expect.stringContaining('its sign-in was taken over before'),
      hint: expect.stringContaining(`authsome scan --undo ${file}`),
    });
  });
});

describe('an agent that has not signed in', () => {
  it.each([
    ['has no file', () => rmSync(file)],
    ['has an empty one', () => writeFileSync(file, '{}')],
  ])('is told of when it %s', async (_what, prepare) => {
    prepare();
    const client = daemon();
    expect(await run(client).done).toBe(false);
    expect(client.asked).toEqual([]);
    const agent = agentOf('claude-code');
    expect(agent && noSignIn(agent).hint).toContain('authsome run -- claude');
  });
});

describe('the files of the agents', () => {
  const read = (provider: string, document: unknown) => {
    const agent = agentOf(provider);
    return agent && readSignIn(agent, JSON.stringify(document));
  };
  const secrets = (provider: string, document: unknown) =>
    read(provider, document)?.secrets.map(({ field, assignment }) => [field, assignment.value]);

  it('are known by name', () => {
    expect(agents.map(({ provider }) => provider)).toEqual(agentNames);
  });

  it('are where the agent’s own variables say', () => {
    const at = (provider: string, environment: Record<string, string>) => {
      const agent = agentOf(provider);
      return agent && placesOf(agent, { home: '/home/me', environment, platform: 'linux' });
    };
    expect(at('claude-code', { CLAUDE_CONFIG_DIR: '/c' })).toEqual(['/c/.credentials.json']);
    expect(at('codex', {})).toEqual(['/home/me/.codex/auth.json']);
    expect(at('gemini-cli', { GEMINI_CLI_HOME: '/g' })).toEqual(['/g/.gemini/oauth_creds.json']);
    expect(at('github-copilot', { COPILOT_HOME: '/p' })).toEqual(['/p/config.json']);
  });

  it('are read for Codex, whose token says when it ends', () => {
    const claims = Buffer.from(JSON.stringify({ exp: 1_800_000_000 })).toString('base64url');
    const tokens = {
      id_token: 'a.b.c',
      access_token: `h.${claims}.s`,
      refresh_token: 'rt',
      account_id: 'acc',
    };
    const document = { OPENAI_API_KEY: null, tokens, last_refresh: '2026-01-01T00:00:00Z' };
    expect(secrets('codex', document)?.map(([field]) => field)).toEqual([
      'id_token',
      'access_token',
      'refresh_token',
    ]);
    expect(read('codex', document)?.expiresAt).toBe('2027-01-15T08:00:00.000Z');
    expect(secrets('codex', { OPENAI_API_KEY: 'sk-proj' })).toEqual([]);
  });

  it('are read for Gemini CLI', () => {
    const document = {
      access_token: 'ya29',
      refresh_token: '1//r',
      scope: 'a b',
      expiry_date: 1_800_000_000_000,
    };
    expect(read('gemini-cli', document)).toMatchObject({
      scopes: ['a', 'b'],
      expiresAt: '2027-01-15T08:00:00.000Z',
      secrets: [{ field: 'access_token' }, { field: 'refresh_token' }],
    });
  });

  it('are read for GitHub Copilot, whose token stands there twice, below comments', () => {
    const agent = agentOf('github-copilot');
    const written = `// This file is managed automatically.
{"copilotTokens":{"https://github.com:me":"gho_1"},"authTokens":{"https://github.com:me:github":{"token":"gho_1"}}}`;
    expect(agent && readSignIn(agent, written)?.secrets.map(({ assignment }) => assignment.value)).toEqual([
      'gho_1',
      'gho_1',
    ]);
  });
});
