import fc from 'fast-check';
import { expect, it } from 'vitest';
import { compileRoutes, type Placement, placementsFor, placesOf } from '../../providers/index.ts';
import { decide, type RequestFacts } from '../decide/index.ts';
import { parseRequestHead, type RequestHead } from '../http1/index.ts';
import { compileRouteInjection, rewriteRequestHead } from '../inject/index.ts';
import { PhantomFinder, phantomsInHead, withoutPhantoms } from '../phantoms/index.ts';
import { apiHost, phantomOf, routeTo } from '../testing/test-fixture.ts';
import { sitesIn } from './sites.ts';

const secrets = new Map([
  ['example/default', 'sk-live-7f3c0b2e91d4'],
  ['example/bot', 'sk-live-of-the-bot-21'],
]);
const own = phantomOf('sk-own-Phantom0123456789ab');
const bot = phantomOf('sk-bot-Phantom9876543210zy', 'example/bot');
const other = phantomOf('tok_other_Phantom55555555', 'other/default');
const phantoms = [own, bot, other];
const finder = new PhantomFinder(phantoms);

const lists: readonly (readonly Placement[])[] = [
  [{ kind: 'header', name: 'X-Key', prefix: '' }],
  [{ kind: 'query', name: 'key' }],
  [
    { kind: 'path', template: '/v1/bot{secret}/' },
    { kind: 'header', name: 'Authorization', prefix: 'Bearer ', when: 'phantom' },
  ],
];
const [placements = [], ...alternatives] = lists;
const table = compileRoutes(
  ['default', 'bot'].map((connection) =>
    routeTo(apiHost, { placements, alternatives, connection, id: connection }),
  ),
);

/** What a run sends for this head; `undefined` where it is refused. */
function sentFor(head: RequestHead): string | undefined {
  const [path = '', query] = head.target.split('?');
  const found = phantomsInHead(finder, head);
  const facts: RequestFacts = {
    method: head.method,
    host: apiHost,
    port: 443,
    path: withoutPhantoms(path, found),
    sentPath: path,
    phantoms: found,
  };
  const input = {
    identity: 'tester',
    routes: table,
    decide: () => ({ allowed: true, rule: undefined, reason: '' }) as const,
  };
  const decision = decide(input, facts);
  if (decision.kind !== 'inject') return undefined;
  const { route } = decision;
  const secret = secrets.get(`${route.provider}/${route.connection}`) as string;
  const compiled = compileRouteInjection(
    { lists: placementsFor(route, secret), all: placesOf(route) },
    secret,
  );
  const target = {
    method: head.method,
    path,
    query: query === undefined ? '' : `?${query}`,
    host: apiHost,
  };
  return rewriteRequestHead(head, target, compiled?.at(sitesIn(facts))).toString('latin1');
}

const spellings: readonly ((text: string) => string)[] = [
  (text) => text,
  (text) => `%${text.charCodeAt(0).toString(16)}${text.slice(1)}`,
  (text) => Buffer.from(`x:${text}`).toString('base64'),
];

it('a secret leaves in one list of its places only, and no phantom leaves, whatever the request', () => {
  const text = fc.oneof(
    fc.constantFrom('own', 'a%20b', '', 'x.y'),
    fc
      .tuple(fc.constantFrom(...phantoms), fc.constantFrom(...spellings))
      .map(([phantom, spell]) => spell(phantom.value)),
  );
  const request = fc.record({
    segment: fc.constantFrom('/v1/bot', '/v1/', '/bot', '/v1/xbot'),
    inPath: text,
    key: fc.option(text),
    stray: fc.option(text),
    fields: fc.array(fc.tuple(fc.constantFrom('X-Key', 'x_key', 'Authorization', 'X-Stray'), text), {
      maxLength: 4,
    }),
  });
  let sentCount = 0;
  fc.assert(
    fc.property(request, ({ segment, inPath, key, stray, fields }) => {
      const query = [key === null ? [] : `key=${key}`, stray === null ? [] : `stray=${stray}`]
        .flat()
        .join('&');
      const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
      const whole = `GET ${segment}${inPath}/x?${query} HTTP/1.1\r\nHost: ${apiHost}\r\n${lines}\r\n`;
      const bytes = Buffer.from(whole, 'latin1');
      const head = parseRequestHead(bytes, 0, bytes.length);
      if (head === undefined || !('target' in head)) return;
      const sent = sentFor(head);
      if (sent === undefined) return;
      sentCount += 1;
      const out = Buffer.from(sent, 'latin1');
      expect(finder.find(out, 0, out.length)).toEqual([]);
      const held = [...secrets.values()].filter((secret) => sent.includes(secret));
      expect(held).toHaveLength(1);
      const [secret = ''] = held;
      const [first = '', ...rest] = sent.split('\r\n');
      const [path = '', parameters = ''] = (first.split(' ')[1] ?? '').split('?');
      const places = [
        ...(path.includes(secret) ? ['path'] : []),
        ...parameters
          .split('&')
          .filter((pair) => pair.includes(secret))
          .map((pair) => `query ${pair.split('=')[0]}`),
        ...rest
          .filter((line) => line.includes(secret))
          .map((line) => line.slice(0, line.indexOf(':')).toLowerCase()),
      ];
      const allowed = [['x-key'], ['query key'], ['path', 'authorization']];
      expect(allowed.some((list) => places.every((place) => list.includes(place)))).toBe(true);
      if (path.includes(secret)) expect(path).toBe(`/v1/bot${secret}/x`);
    }),
    { numRuns: 1000 },
  );
  expect(sentCount).toBeGreaterThan(100);
});
