import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AsksDocument, RegisterDocument, RegisterRequest, ReviewDocument } from '../../client/index.ts';
import { AuthsomeError } from '../../errors.ts';
import { type TestContextOptions, testContext } from '../test-context.ts';
import { register } from './register.ts';

let directory: string;
let file: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'authsome-register-'));
  file = join(directory, 'weather.json');
  writeFileSync(file, '{ "name": "weather" } // a comment');
});
afterAll(() => rmSync(directory, { recursive: true }));

const asks: AsksDocument = {
  hosts: ['api.weather.example', '*.weather.example'],
  placements: ['header X-Key'],
  endpoints: [{ name: 'token_url', url: 'https://id.weather.example/token' }],
  variables_read: [{ name: 'WEATHER_SECRET', sent_to: ['id.weather.example'] }],
  variables_set: [],
  turns_off: [],
  commands_run: [],
};
const nothing = {
  hosts: [],
  placements: [],
  endpoints: [],
  variables_read: [],
  variables_set: [],
  turns_off: [],
};
const document: RegisterDocument = {
  v: 1,
  name: 'weather',
  display_name: 'Weather',
  source: 'custom',
  redirect_uri: '',
  asks_for: asks,
  asks_for_with_base_url: null,
  changes: null,
  changes_with_base_url: null,
};

interface Play extends TestContextOptions {
  readonly review?: Partial<RegisterDocument>;
  readonly answer?: boolean;
  readonly source?: string;
  readonly yes?: boolean;
  readonly force?: boolean;
  readonly allowLoopback?: boolean;
}

function play({
  review,
  answer,
  source = file,
  yes = false,
  force = false,
  allowLoopback = false,
  ...rest
}: Play = {}) {
  const registered: RegisterRequest[] = [];
  const reviewed: RegisterRequest[] = [];
  const asked: string[] = [];
  const { context, output } = testContext({
    ...rest,
    ...(answer === undefined
      ? {}
      : {
          questions: {
            confirm: async (question) => {
              asked.push(question);
              return answer;
            },
            secret: async () => undefined,
          },
        }),
    client: {
      reviewProvider: async (request) => {
        reviewed.push(request);
        return { ...document, ...review, digest: 'd1' } as ReviewDocument;
      },
      registerProvider: async (request) => {
        registered.push(request);
        return { ...document, ...review };
      },
    },
  });
  return {
    ending: register(context, { source, yes, force, allowLoopback }),
    output,
    registered,
    reviewed,
    asked,
  };
}

const shown = `Weather (weather) asks for:
  sends the credential to  api.weather.example
                           *.weather.example
  in                       header X-Key
  token_url                https://id.weather.example/token
  reads variables          WEATHER_SECRET, sent to id.weather.example
  sets variables           none
  runs commands            none
`;

describe('register', () => {
  it('shows what a definition asks for, and stores exactly that after a yes', async () => {
    const { ending, output, registered, asked } = play({ answer: true });
    await ending;
    expect(output.stderr).toBe(`${shown}Registered weather. Sign in with: authsome login weather\n`);
    expect(asked).toEqual(['Register it?']);
    expect(registered).toEqual([{ definition: { name: 'weather' }, force: false, digest: 'd1' }]);
  });

  it('stores nothing after a no', async () => {
    const { ending, registered } = play({ answer: false });
    await expect(ending).rejects.toMatchObject({ code: 'Cancelled', message: 'weather was not registered' });
    expect(registered).toEqual([]);
  });

  it.each([
    ['file', false, ' --yes'],
    ['URL', true, ' --force --yes'],
  ])('is refused where nobody can say yes to a %s, and stores nothing', async (kind, force, flags) => {
    const source = kind === 'URL' ? "https://weather.example/it's.json" : file;
    const { ending, output, registered } = play({ source, force });
    const word = kind === 'URL' ? "'https://weather.example/it'\\''s.json'" : file;
    await expect(ending).rejects.toMatchObject({
      code: 'Usage',
      message: 'weather needs your yes to be registered',
      hint: `Read what it asks for, then run: authsome register ${word}${flags}`,
    });
    expect(output.stderr).toBe(shown);
    expect(registered).toEqual([]);
  });

  it('names the file in the command that replaces a definition', async () => {
    const context = {
      ...testContext({}).context,
      client: async () => {
        throw new AuthsomeError('ProviderExists', 'a custom provider named weather already exists');
      },
    };
    const options = { source: file, force: false, yes: true, allowLoopback: false };
    await expect(register(context, options)).rejects.toMatchObject({
      code: 'ProviderExists',
      message: 'a custom provider named weather already exists',
      hint: `Replace it with: authsome register ${file} --force --yes`,
    });
  });

  it('asks for addresses of this machine only with --allow-loopback, and repeats it in the hint', async () => {
    const { ending, reviewed } = play({ allowLoopback: true });
    await expect(ending).rejects.toMatchObject({ hint: expect.stringMatching(/ --allow-loopback --yes$/) });
    expect(reviewed).toEqual([{ definition: { name: 'weather' }, force: false, allow_loopback: true }]);
  });

  it('needs no yes with --yes, and says what it has registered', async () => {
    const { ending, output, registered, reviewed } = play({ yes: true });
    await ending;
    expect(reviewed).toEqual([]);
    expect(registered).toEqual([{ definition: { name: 'weather' }, force: false }]);
    expect(output.stderr).toContain(shown);
  });

  it('prints one document with --json, and only its keys', async () => {
    const { ending, output } = play({ yes: true, json: true });
    await ending;
    expect(JSON.parse(output.stdout)).toEqual(document);
    expect(output.stderr).toBe('');
  });

  it('shows what changes for a definition that is replaced', async () => {
    const changes = {
      added: { ...nothing, hosts: ['evil.example'], variables_set: ['EVIL_TOKEN'] },
      removed: { ...nothing, endpoints: [{ name: 'token_url', url: 'https://old.example/token' }] },
    };
    const more = { added: { ...nothing, hosts: ['other.example'] }, removed: nothing };
    const { ending, output } = play({
      answer: true,
      force: true,
      review: { changes, asks_for_with_base_url: asks, changes_with_base_url: more },
    });
    await ending;
    expect(output.stderr).toContain(`It replaces a definition. Compared with that one:
  + sends the credential to evil.example
  + sets EVIL_TOKEN
  - token_url https://old.example/token
  + with --base-url: sends the credential to other.example
`);
  });

  it('says at which endpoints it takes over the sign-ins of programs', async () => {
    const endpoint = { name: 'capture', url: 'https://login.other.example/token' };
    const { ending, output } = play({
      answer: true,
      review: {
        asks_for: { ...asks, endpoints: [endpoint] },
        changes: { added: { ...nothing, endpoints: [endpoint] }, removed: nothing },
      },
    });
    await ending;
    expect(output.stderr).toContain('\n  keeps what programs get at  https://login.other.example/token\n');
    expect(output.stderr).toContain('\n  + keeps what programs get at https://login.other.example/token\n');
  });

  it('says so when nothing changes', async () => {
    const { ending, output } = play({
      answer: true,
      review: { changes: { added: nothing, removed: nothing } },
    });
    await ending;
    expect(output.stderr).toContain('It asks for the same as the definition that it replaces.\n');
  });

  it('shows no character that could control a terminal', async () => {
    const { ending, output } = play({
      answer: true,
      review: { display_name: 'Weather\u001b[2K\u202e', asks_for: { ...asks, hosts: ['a\u001b]0;x\u0007'] } },
    });
    await ending;
    expect(output.stderr).not.toMatch(/[\u001b\u0007\u202e]/);
  });

  it.each([
    ['a pipe, which nobody may ever write to', (path: string) => spawnSync('mkfifo', [path])],
    ['a device', undefined],
    ['a directory', (path: string) => spawnSync('mkdir', [path])],
  ])('refuses %s', async (what, make) => {
    const source = make === undefined ? '/dev/zero' : join(directory, what.replaceAll(/\W/g, '-'));
    make?.(source);
    const { ending, reviewed } = play({ source, answer: true });
    await expect(ending).rejects.toMatchObject({
      code: 'Usage',
      message: `cannot read ${source}: ${what === 'a directory' ? 'it is a directory' : 'it is not a regular file'}`,
    });
    expect(reviewed).toEqual([]);
  });

  it('refuses a file that is larger than any definition', async () => {
    const source = join(directory, 'large.json');
    writeFileSync(source, `{"note":"${'x'.repeat(300_000)}"}`);
    await expect(play({ source, answer: true }).ending).rejects.toMatchObject({ code: 'InvalidDefinition' });
  });
});
