import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type StandIn, startStandIn } from '../agents/google-and-github.ts';
import { type Fixture, openFixture } from '../support/fixture.ts';

/**
 * The attack: many programs use the token endpoint of GitHub or Google, so authsome leaves the sign-ins of other clients alone.
 * An agent signs in as the client of Copilot, and writes its request so that only the service reads that: in the query, in
 * another format, in Basic, or beside another client. Before, it got the real token, and authsome stored nothing.
 */
let standIn: StandIn;
let fixture: Fixture;
let directory: string;
beforeAll(async () => {
  standIn = await startStandIn();
  directory = mkdtempSync(join(tmpdir(), 'authsome-disguise-'));
  const ca = join(directory, 'ca.pem');
  writeFileSync(ca, standIn.caPem);
  fixture = await openFixture({ AUTHSOME_RESOLVE: standIn.resolve, AUTHSOME_EXTRA_CA_CERTS: ca });
  // The stand-in's first answer is that the person has not agreed yet.
  await post(['-d', form]);
});
afterAll(async () => {
  await fixture.close();
  await standIn.close();
  rmSync(directory, { recursive: true, force: true });
});

const client = 'Ov23ctDVkRmgkPke0Mmm';
const grant = 'device_code=device&grant_type=urn:ietf:params:oauth:grant-type:device_code';
const form = `client_id=${client}&${grant}`;
const type = (media: string): readonly string[] => ['-H', `content-type: ${media}`];

/** What the agent gets for this request to GitHub's token endpoint. */
async function post(options: readonly string[], query = ''): Promise<string> {
  const url = `https://github.com/login/oauth/access_token${query}`;
  const curl = ['curl', '-sS', '-X', 'POST', '-H', 'accept: application/json', ...options, url];
  const { stdout } = await fixture.authsome(['run', '-p', 'github-copilot', '--', ...curl]);
  return stdout;
}

const disguises: readonly [string, readonly string[], string?][] = [
  ['in the query alone', [], `?${form}`],
  ['in the query, beside another client', ['-d', `client_id=another&${grant}`], `?client_id=${client}`],
  ['in the query, percent-encoded', ['-d', `client_id=another&${grant}`], `?client_id=%4f${client.slice(1)}`],
  ['as plain text', [...type('text/plain'), '-d', form]],
  ['without a type', ['-H', 'content-type:', '-d', form]],
  ['as multipart', ['-F', `client_id=${client}`, '-F', 'device_code=device']],
  ['twice', ['-d', `${form}&client_id=${client}`]],
  ['twice, the second time another', ['-d', `${form}&client_id=another`]],
  ['with a space behind it', ['-d', `client_id=${client}%20&${grant}`]],
  ['in Basic', ['-u', `${client}:`, '-d', grant]],
  ['in Basic, beside another client', ['-u', `${client}:`, '-d', `client_id=another&${grant}`]],
  [
    'before another in JSON',
    [
      ...type('application/json'),
      '-d',
      `{"client_id":"${client}","device_code":"device","client_id":"another"}`,
    ],
  ],
  [
    'with escapes, before another in JSON',
    [...type('application/json'), '-d', `{"client_id":"\\u004f${client.slice(1)}","client_id":"another"}`],
  ],
  ['as a coded body', ['-H', 'content-encoding: gzip', '-d', form.replace('Ov', 'xx')]],
];

it.each(disguises)('an agent that names the client %s gets no real token', async (_, options, query) => {
  const before = standIn.arrived.length;
  const answer = await post(options, query);
  for (const secret of standIn.secrets) expect(answer).not.toContain(secret);
  expect(JSON.parse(answer)).toMatchObject({ error: 'invalid_request' });
  expect(standIn.arrived).toHaveLength(before);
});

it('the sign-in of another program passes as it is, in a form, in JSON, in the query and in Basic', async () => {
  const others: readonly (readonly [readonly string[], string?])[] = [
    [['-d', `client_id=another&${grant}`]],
    [[...type('application/json'), '-d', '{"client_id":"another","device_code":"device"}']],
    [[], `?client_id=another&${grant}`],
    [['-u', 'another:x', '-d', grant]],
  ];
  for (const [options, query] of others) {
    const { access_token } = JSON.parse(await post(options, query));
    expect(standIn.secrets.at(-1)).toBe(access_token);
  }
});
