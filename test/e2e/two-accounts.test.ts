import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Acme, connectPixel, createAcme, entry } from '../support/fixture.ts';
import { hosts } from '../support/service/index.ts';

const botKey = `px_${'b0t'.repeat(10)}zz`;
let fixture: Acme;
let mine = '';
beforeAll(async () => {
  fixture = await createAcme();
  await connectPixel(fixture);
  mine = fixture.apiKey;
  const bot = await fixture.authsome(['login', 'pixel', '--connection', 'bot', '--no-browser'], {
    stdin: botKey,
  });
  expect([bot.code, bot.stderr]).toEqual([0, expect.anything()]);
});
afterAll(() => fixture.close());

const keysSeen = () =>
  fixture.service.api.received
    .filter(({ host }) => host === hosts.keyApi)
    .map(({ headers }) => headers['x-api-key']);
const ask = (header: string) =>
  `curl -sS -o /dev/null -w '%{http_code} ' ${header} https://${hosts.keyApi}/v1/me`;
const withKey = (variable: string) => ask(`-H "X-API-Key: $${variable}"`);
const inRun = (options: readonly string[], script: string) =>
  fixture.authsome(['run', ...options, '--', 'sh', '-c', script]);
const both = ['-p', 'pixel', '--connection', 'pixel=bot:PIXEL_BOT_KEY'];

describe('two accounts at one service, in one run', () => {
  it('are told apart by the phantom in each request', async () => {
    const before = keysSeen().length;
    const { stderr } = await inRun(
      both,
      `${withKey('PIXEL_API_KEY')}; ${withKey('PIXEL_BOT_KEY')}; ${ask('')}; ${withKey('PIXEL_API_KEY')}`,
    );
    expect(keysSeen().slice(before)).toEqual([mine, botKey, mine, mine]);
    expect(stderr).toContain('this run has: pixel/default, pixel/bot (in PIXEL_BOT_KEY).');
  });

  it('are the first of two that are named, and a second by its phantom alone', async () => {
    const { stdout } = await inRun(['-p', 'pixel/bot'], 'echo $PIXEL_API_KEY');
    const before = keysSeen().length;
    const { stderr } = await fixture.authsome(
      [
        'run',
        '--connection',
        'pixel=default',
        '--connection',
        'pixel=bot',
        '--',
        'sh',
        '-c',
        `${ask('')}; ${withKey('HELD')}`,
      ],
      { env: { HELD: stdout.trim() } },
    );
    expect(keysSeen().slice(before)).toEqual([mine, botKey]);
    expect(stderr).toContain('pixel/default, pixel/bot (by its phantom alone)');
  });

  it('are refused where the run has one of them only', async () => {
    const { stdout } = await inRun(['-p', 'pixel/bot'], 'echo $PIXEL_API_KEY');
    const before = keysSeen().length;
    const outcome = await fixture.authsome(
      [
        'run',
        '-p',
        'pixel/default',
        '--',
        'sh',
        '-c',
        `curl -sS -H "X-API-Key: $HELD" https://${hosts.keyApi}/v1/me`,
      ],
      { env: { HELD: stdout.trim() } },
    );
    expect(outcome.stdout).toContain('PhantomMisplaced');
    expect(keysSeen().length).toBe(before);
  });

  it('share no variable, and none that steers programs', async () => {
    for (const variables of [['A_KEY', 'A_KEY'], ['PATH'], ['LD_PRELOAD'], ['AUTHSOME_KEY'], ['x']]) {
      const options = variables.flatMap((variable, index) => [
        '--connection',
        `pixel=${index === 0 ? 'bot' : 'default'}:${variable}`,
      ]);
      const { code, stdout } = await inRun(['-p', 'pixel', ...options], 'echo started');
      expect([variables, code, stdout]).toEqual([variables, 2, '']);
    }
  });

  it('are no more than the outer run has', async () => {
    const nested = `"${process.execPath}" "${entry}" run`;
    const script = `${withKey('PIXEL_API_KEY')}; ${withKey('PIXEL_BOT_KEY')}`;
    const before = keysSeen().length;
    const inside = await fixture.authsome(
      ['run', ...both, '--', 'sh', '-c', `${nested} -- sh -c "$SCRIPT"`],
      { env: { SCRIPT: script } },
    );
    expect([inside.code, keysSeen().slice(before)]).toEqual([0, [mine, botKey]]);
    const wider = await inRun(
      ['-p', 'pixel/default'],
      `${nested} --connection pixel=bot:PIXEL_BOT_KEY -- true`,
    );
    expect([wider.code, wider.stderr]).toEqual([12, expect.stringContaining('pixel/bot')]);
  });

  it('stay what they are when another becomes the default in the middle', async () => {
    const shell = fixture.startAuthsome(['run', '--', 'sh'], { stdin: 'open' });
    const before = keysSeen().length;
    shell.type(`${withKey('PIXEL_API_KEY')}; echo one\n`);
    await shell.seen('stdout', /one/);
    expect((await fixture.authsome(['connections', 'set-default', 'pixel', 'bot'])).code).toBe(0);
    shell.type(`${withKey('PIXEL_API_KEY')}; ${ask('')}; echo two\n`);
    await shell.seen('stdout', /two/);
    shell.type('exit\n');
    await shell.ended;
    expect((await fixture.authsome(['connections', 'set-default', 'pixel', 'default'])).code).toBe(0);
    expect(keysSeen().slice(before)).toEqual([mine, mine, botKey]);
  });
});
