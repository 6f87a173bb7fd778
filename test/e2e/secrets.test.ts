import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { connectAcme, connectPixel, createAcme, expiry, withFixture } from '../support/fixture.ts';
import { hosts } from '../support/service/index.ts';

function filesUnder(directory: string): readonly string[] {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((file) => file.isFile())
    .map((file) => join(file.parentPath, file.name));
}

/** The secret as it is, and in the forms that it might hide in. */
function formsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  return [
    secret,
    encodeURIComponent(secret),
    bytes.toString('base64'),
    bytes.toString('hex'),
    Buffer.from(`x-access-token:${secret}`).toString('base64'),
  ];
}

it('nothing that authsome ever writes contains a secret', async () => {
  await withFixture(
    await createAcme({ firstTokenTtlSeconds: 2, env: { AUTHSOME_LOG_LEVEL: 'debug' } }),
    async (fixture) => {
      const pages: string[] = [];
      for (const { asked, closing } of [await connectAcme(fixture), await connectPixel(fixture)]) {
        pages.push(asked.html, closing.html, JSON.stringify([asked.headers, closing.headers]));
      }
      await expiry(2);
      // Every kind of failure that passes near a secret.
      await fixture.authsome(['login', 'pixel', '--connection', 'bad', '--yes'], {
        env: { PIXEL_API_KEY: `${fixture.apiKey}-too-long` },
      });
      await fixture.authsome(['run', '--', 'curl', '-sS', `https://${hosts.api}/v1/me`]);
      await fixture.authsome([
        'run',
        '--',
        'curl',
        '-sS',
        '-H',
        'Host: elsewhere.test',
        `https://${hosts.api}/v1/me`,
      ]);
      await fixture.authsome(['run', '--', 'curl', '-sS', `https://${hosts.keyApi}/v1/../../x?key=phantom`]);
      await fixture.authsome(['run', '--', 'curl', '-sS', `http://${hosts.api}/v1/me`]);
      for (const args of [
        ['list'],
        ['get', 'acme'],
        ['get', 'pixel'],
        ['inspect', 'acme'],
        ['doctor'],
        ['whoami'],
        ['log', '-n', '200'],
        ['explain', 'last'],
        ['daemon', 'logs'],
        ['daemon', 'status'],
      ]) {
        await fixture.authsome(args);
        await fixture.authsome([...args, '--json']);
        await fixture.authsome([...args, '--verbose']);
      }
      const child = fixture.startAuthsome(['run', '--', 'sh', '-c', 'echo $$; exec sleep 60']);
      const [, pid = ''] = await child.seen('stdout', /^(\d+)\n/);
      const procFiles = ['environ', 'cmdline'].map((name) => readFileSync(`/proc/${pid}/${name}`, 'latin1'));
      const parent = readFileSync(`/proc/${child.child.pid}/cmdline`, 'latin1');
      const ofRun = filesUnder(join(fixture.home, 'runs')).map((file) => readFileSync(file, 'latin1'));
      process.kill(Number(pid), 'SIGKILL');
      await child.ended;
      await fixture.authsome(['revoke', 'acme']);

      const masterKey = readFileSync(join(fixture.home, 'server/master.key'), 'utf8').trim();
      const secrets = [
        fixture.apiKey,
        fixture.client.clientSecret,
        ...fixture.service.authorization.issued.flatMap((tokens) => [
          tokens.accessToken,
          tokens.refreshToken ?? tokens.accessToken,
        ]),
      ];
      expect(secrets.length).toBeGreaterThan(4);
      const onDisk = filesUnder(fixture.home).map((file) => [file, readFileSync(file, 'latin1')] as const);
      expect(onDisk.map(([file]) => file)).toContain(join(fixture.home, 'server/authsome.db'));
      const everything = [
        ...onDisk,
        ...fixture.written.map((text) => ['an output', text] as const),
        ...pages.map((text) => ['a page', text] as const),
        ...procFiles.map((text) => ['the child’s /proc', text] as const),
        ...ofRun.map((text) => ['a file of the run', text] as const),
        ['the command line', parent] as const,
      ];
      const found = secrets.flatMap((secret) =>
        everything
          .filter(([, text]) => formsOf(secret).some((form) => text.includes(form)))
          .map(([where]) => where),
      );
      expect(found).toEqual([]);
      const keyFound = everything.filter(
        ([where, text]) => !where.endsWith('master.key') && text.includes(masterKey),
      );
      expect(keyFound.map(([where]) => where)).toEqual([]);
    },
  );
});
