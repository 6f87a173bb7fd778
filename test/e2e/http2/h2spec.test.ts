import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { root } from '../../support/fixture.ts';
import { apiKey, type Http2Fixture, openHttp2Fixture } from './service.ts';

/** Built or found by scripts/test.mjs. */
const program = process.env.H2SPEC ?? 'h2spec';
const timeoutMs = 300_000;

const [major = ''] = process.versions.node.split('.');

/** The cases that the page lists for this Node. */
const documented = [
  ...readFileSync(join(root, 'docs/project/conformance.md'), 'utf8')
    .replaceAll('\n  ', ' ')
    .matchAll(/^- `((?:generic|http2|hpack)\/[\d.]+)`, (any Node|Node [\d, ]+): "([^"]+)"/gm),
].flatMap(([, section, nodes = '', name]) =>
  nodes === 'any Node' || nodes.replace('Node ', '').split(', ').includes(major)
    ? [`${section} ${name}`]
    : [],
);

let fixture: Http2Fixture;
beforeAll(async () => {
  fixture = await openHttp2Fixture((stream) => {
    stream.respond({ ':status': 200, 'content-type': 'text/plain' });
    stream.end('answer');
  });
});
afterAll(() => fixture.close());

interface Case {
  readonly name: string;
  readonly failed: boolean;
}

function casesOf(report: string): readonly Case[] {
  const found = report.matchAll(/<testcase package="([^"]+)" classname="([^"]+)"[^>]*>(?:<\/testcase>)?/g);
  return [...found].map(([whole, section, name]) => ({
    name: `${section} ${name}`,
    failed: !whole.endsWith('</testcase>'),
  }));
}

it('h2spec finds no fault in an interception but those that docs/project/conformance.md explains, and all of those', {
  timeout: timeoutMs,
}, async () => {
  const report = join(fixture.directory, 'h2spec.xml');
  const target = ['-h', 'localhost', '-p', String(fixture.at)];
  const outcome = await fixture.runThroughTunnel(
    program,
    '-t',
    '-k',
    '-S',
    '-o',
    '4',
    '-j',
    report,
    ...target,
  );
  const cases = casesOf(readFileSync(report, 'latin1'));
  expect(outcome.stdout).toContain(`${cases.length} tests, `);
  expect(cases.length).toBeGreaterThan(140);
  const failed = cases.filter((one) => one.failed).map(({ name }) => name);
  expect(failed.toSorted()).toEqual(documented.toSorted());
  // What came through was complete, and the proxy's own: with the credential in its place, whatever frames it was made
  // of.
  expect(fixture.arrived.length).toBeGreaterThan(20);
  for (const { headers } of fixture.arrived) {
    expect(headers).toMatchObject({
      ':authority': `localhost:${fixture.at}`,
      authorization: `Bearer ${apiKey}`,
    });
  }
  expect(outcome.stdout + outcome.stderr).not.toContain(apiKey);
});
