import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { entry, type Fixture, openFixture, root } from '../support/fixture.ts';
import { type Outcome, start } from '../support/product.ts';
import { createThrowawayCa } from '../support/service/index.ts';

/** One line of a table in docs/project/conformance.md. */
interface Documented {
  readonly scenario: string;
  readonly applies: boolean;
}

interface Check {
  readonly id: string;
  readonly status: 'SUCCESS' | 'FAILURE' | 'WARNING' | 'INFO' | 'SKIPPED';
  readonly description: string;
}

const suite = join(root, 'node_modules/@modelcontextprotocol/conformance/dist/index.js');
/** The revisions whose requests differ: a scenario of both runs at each. */
const revisions = ['2025-11-25', '2026-07-28'] as const;
/** The document that the suite expects a client to name where the server reads such. */
const clientMetadataUrl = 'https://conformance-test.local/client-metadata.json';

const [ofSuite = [], others = []] = readFileSync(join(root, 'docs/project/conformance.md'), 'utf8')
  .split('\n## ')
  .slice(1)
  .map((section): readonly Documented[] =>
    [...section.matchAll(/^\| `(auth\/[\w-]+)` *\| (passes|does not apply) *\|/gm)].map(
      ([, scenario = '', outcome]) => ({ scenario, applies: outcome === 'passes' }),
    ),
  );

const timeoutMs = 180_000;

let fixture: Fixture;
let env: Readonly<Record<string, string>>;

beforeAll(async () => {
  fixture = await openFixture({ AUTHSOME_CLIENT_METADATA_URL: clientMetadataUrl });
  const file = (name: string) => join(fixture.directory, name);
  const ca = await createThrowawayCa('Throwaway conformance CA');
  const { certPem, keyPem } = await ca.issue(['localhost']);
  writeFileSync(file('ca.pem'), ca.caPem);
  writeFileSync(file('cert.pem'), certPem);
  writeFileSync(file('key.pem'), keyPem);
  const bundle = await rolldown({ input: join(root, 'test/conformance/client.ts'), platform: 'node' });
  await bundle.write({ file: file('client.mjs'), format: 'esm' });
  await bundle.close();
  env = {
    ...fixture.env,
    AUTHSOME_ENTRY: entry,
    AUTHSOME_EXTRA_CA_CERTS: file('ca.pem'),
    CONFORMANCE_CA: file('ca.pem'),
    CONFORMANCE_CERT: file('cert.pem'),
    CONFORMANCE_KEY: file('key.pem'),
  };
  expect((await fixture.authsome(['init'], { env })).code).toBe(0);
});
afterAll(() => fixture.close());

/** The suite's own program, over TLS. */
function conformance(...args: readonly string[]): Promise<Outcome> {
  const preload = join(root, 'test/conformance/over-tls.mjs');
  return start({
    program: process.execPath,
    args: ['--import', preload, suite, ...args],
    env,
    cwd: fixture.directory,
  }).ended;
}

let runs = 0;

/** Runs scenarios against the product. The checks of each, by scenario, and what the suite makes of them. */
async function runSuite(...selection: readonly string[]) {
  const results = join(fixture.directory, `results-${++runs}`);
  mkdirSync(results);
  const command = `${process.execPath} ${join(fixture.directory, 'client.mjs')}`;
  const outcome = await conformance(
    'client',
    '--command',
    command,
    '--timeout',
    String(timeoutMs),
    '-o',
    results,
    ...selection,
  );
  const folders = readdirSync(join(results, 'auth'));
  const checks = new Map<string, readonly Check[]>();
  for (const folder of folders) {
    const scenario = `auth/${folder.replace(/-\d{4}-\d\d-\d\dT.*$/, '')}`;
    checks.set(scenario, JSON.parse(readFileSync(join(results, 'auth', folder, 'checks.json'), 'utf8')));
  }
  return { outcome, checks };
}

/** Those that a client must not have: a warning is a SHOULD that was not kept. */
function faults(checks: readonly Check[]): readonly string[] {
  return checks
    .filter(({ status }) => status === 'FAILURE' || status === 'WARNING')
    .map(({ id, description }) => `${id}: ${description}`);
}

describe.concurrent('the MCP conformance suite', { timeout: timeoutMs }, () => {
  it('is documented completely: every scenario of client authorization, and no other', async () => {
    const { stdout } = await conformance('list', '--client');
    const listed = [...stdout.matchAll(/\bauth\/[\w-]+/g)].map(([name]) => name);
    expect(listed.length).toBeGreaterThan(30);
    const documented = [...ofSuite, ...others].map(({ scenario }) => scenario);
    expect(documented.toSorted()).toEqual([...new Set(listed)].toSorted());
  });

  // Each of them is many clients at once already.
  it.sequential.each(revisions)(
    'finds no fault, with the requests of %s (--suite auth)',
    async (revision) => {
      const { outcome, checks } = await runSuite('--suite', 'auth', '--spec-version', revision);
      expect(outcome.code, outcome.stderr).toBe(0);
      expect(new Map([...checks].map(([scenario, found]) => [scenario, faults(found)]))).toEqual(
        new Map([...checks.keys()].map((scenario) => [scenario, []])),
      );
      for (const found of checks.values())
        expect(found.some(({ status }) => status === 'SUCCESS')).toBe(true);
      expect(
        ofSuite
          .filter(({ applies }) => applies)
          .map(({ scenario }) => scenario)
          .toSorted(),
      ).toEqual([...checks.keys()].toSorted());
    },
  );

  it.each(others.filter(({ applies }) => applies))('finds no fault in $scenario', async ({ scenario }) => {
    const { outcome, checks } = await runSuite('--scenario', scenario);
    expect(outcome.code, outcome.stderr).toBe(0);
    const found = checks.get(scenario) ?? [];
    expect(faults(found)).toEqual([]);
    expect(found.some(({ status }) => status === 'SUCCESS')).toBe(true);
  });

  it.each(others.filter(({ applies }) => !applies))(
    'still asks in $scenario for what is not there',
    async ({ scenario }) => {
      const { outcome, checks } = await runSuite('--scenario', scenario);
      expect(faults(checks.get(scenario) ?? [])).not.toEqual([]);
      expect(outcome.code).not.toBe(0);
    },
  );
});
