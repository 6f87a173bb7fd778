import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createCookieJar } from '../support/cookie-jar.ts';
import {
  type Acme,
  connectAcme,
  connectPixel,
  createAcme,
  entry,
  lastDocument,
  register,
} from '../support/fixture.ts';
import type { Running } from '../support/product.ts';
import { hosts, pixel } from '../support/service/index.ts';
import { waitingOf } from '../support/sign-in.ts';

/**
 * The attack: a person signs in while an agent runs, and the agent reads the address of the page in the arguments of the
 * browser. It asked the daemon for that page itself, before the browser did, and posted a key of its own. Until the person's
 * browser came, the terminal said "Connected", with the agent's account. The calls of the API refused it, the pages did not.
 */
let fixture: Acme;
const command = `"${process.execPath}" "${entry}"`;
const agentsKey = `px_agents_${'a'.repeat(40)}`;
beforeAll(async () => {
  fixture = await createAcme();
  await connectPixel(fixture);
});
afterAll(() => fixture.close());

const inRun = (script: string, ...options: readonly string[]) =>
  fixture.authsome(['run', ...options, '--', 'sh', '-c', script]);
const direct = `curl -sS -i --noproxy '*'`;
const stored = async () =>
  (await fixture.authsome(['get', 'pixel', '--field', 'api_key', '--show-secret'])).stdout.trim();

describe.runIf(process.platform === 'linux')(
  'a program in a run that has the address of a person’s sign-in',
  () => {
    let person: Running;
    let ticket = '';
    let session = '';
    beforeEach(async () => {
      person = fixture.startAuthsome(['login', 'pixel', '--force', '--no-browser', '--json']);
      ({ auth_url: ticket, session_id: session } = await waitingOf(person));
    });
    afterEach(async () => {
      person.child.kill('SIGTERM');
      await person.ended;
    });

    it.each([
      ['as it is', (line: string) => line],
      ['without the run’s variables', (line: string) => `env -i PATH="$PATH" ${line}`],
      ['detached', (line: string) => `(setsid sh -c "${line} >answer" &); sleep 1; cat answer`],
    ])('is refused the page, %s, and the person’s browser is not', async (_how, hidden) => {
      const { stdout, stderr } = await inRun(hidden(`${direct} ${ticket}`));
      expect(stdout).toMatch(/^HTTP\/1\.1 403 /);
      expect(stdout).toContain('Not from inside a run: answering or ending a sign-in');
      expect(stdout).not.toMatch(/set-cookie|<form/i);
      expect(stderr).toContain('during this run: refused: answering or ending a sign-in');

      const browser = fixture.newBrowser();
      const asked = await browser.open(ticket);
      const closing = await browser.submit(asked, { api_key: fixture.apiKey });
      expect(closing.html).toContain('is connected');
      expect(lastDocument(await person.ended)).toMatchObject({ status: 'connected', provider: 'pixel' });
      expect(await stored()).toBe(fixture.apiKey);
    });

    it('posts no key, even with the cookies of the person’s browser', async () => {
      const jar = createCookieJar();
      const form = await (await jar.fetch(ticket)).text();
      const [, token = ''] = /name="csrf_token" value="([^"]+)"/.exec(form) ?? [];
      const page = `${fixture.baseUrl}/auth/sessions/${session}`;
      const body = new URLSearchParams({ csrf_token: token, api_key: agentsKey }).toString();
      const { stdout } = await inRun(`${direct} -b '${jar.cookies(page)}' -d '${body}' ${page}`);
      expect(stdout).toMatch(/^HTTP\/1\.1 403 /);
      expect((await fixture.json(['login', '--status', session])).status).toBe('waiting');
      expect(await stored()).toBe(fixture.apiKey);
    });

    it('is on record with its run and its program', async () => {
      await inRun(`${direct} -o /dev/null ${ticket}`);
      const { events } = await fixture.json(['log', '-n', '20']);
      const [refused] = events.filter(({ event }: { event: string }) => event === 'call.refused');
      expect(refused).toMatchObject({
        ...{ provider: 'pixel', outcome: 'DeniedInRun', program: 'curl' },
        run: expect.stringMatching(/^run_/),
      });
    });

    it('may open it where the run is trusted', async () => {
      expect((await inRun(`${direct} ${ticket}`, '--trusted')).stdout).toMatch(/^HTTP\/1\.1 303 /);
    });
  },
);

it.runIf(process.platform === 'linux')(
  'is refused the callback of a person’s sign-in, which keeps waiting',
  async () => {
    await connectAcme(fixture);
    const person = fixture.startAuthsome([
      ...['login', 'acme', '--connection', 'second', '--no-browser', '--json'],
    ]);
    const { session_id: id, provider_url: url = '' } = await waitingOf(person);
    const state = new URL(url).searchParams.get('state');
    const { stdout } = await inRun(`${direct} '${fixture.redirectUri}?code=agents&state=${state}'`);
    expect(stdout).toMatch(/^HTTP\/1\.1 403 /);
    expect((await fixture.json(['login', '--status', id])).status).toBe('waiting');
    person.child.kill('SIGINT');
    await person.ended;
  },
);

it('leaves an agent’s own sign-in to the browser that it starts', async () => {
  const { name: _, ...rest } = pixel;
  await register(fixture, {
    ...{ ...rest, name: 'second', api_url: `https://${hosts.login}` },
    ...{ api_key: { ...pixel.api_key, env_var: 'SECOND_KEY' }, export: {} },
  });
  const answer = join(fixture.directory, 'browser-answer');
  const browser = join(fixture.directory, 'browser.sh');
  writeFileSync(browser, `#!/bin/sh\n${direct} "$1" >'${answer}'\n`);
  chmodSync(browser, 0o700);
  const { stderr } = await inRun(
    `BROWSER='${browser}' DISPLAY=:0 ${command} login second </dev/null & until [ -s '${answer}' ]; do sleep 0.1; done; kill $!`,
  );
  expect(readFileSync(answer, 'utf8')).toMatch(/^HTTP\/1\.1 303 [\s\S]*set-cookie/i);
  expect(stderr).not.toContain('not from inside a run');
});
