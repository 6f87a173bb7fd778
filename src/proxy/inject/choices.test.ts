import { sensitiveHeaders } from 'node:http2';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Placement } from '../../providers/index.ts';
import { parseRequestHead, type RequestHead } from '../http1/index.ts';
import { requestHeaders } from '../http2/headers.ts';
import { compileRouteInjection, encodeInSegment, type PhantomSite, rewriteRequestHead } from './index.ts';

const secret = 'sk-live-secret';
const phantom = 'sk-phantom-0123456789';
const goog: Placement = { kind: 'header', name: 'x-goog-api-key', prefix: '' };
const key: Placement = { kind: 'query', name: 'key' };
const bearer: Placement = { kind: 'header', name: 'Authorization', prefix: 'Bearer ' };
const basic: Placement = { kind: 'basic', username: 'x', secretAs: 'password' };
const bot: Placement = { kind: 'path', template: '/bot{secret}/' };
const gemini = [[goog], [key], [bearer]];

const inHeader = (name: string, value: string): PhantomSite => ({ kind: 'header', name, value, phantom });
const inPath = (path: string): PhantomSite => {
  const start = path.indexOf(phantom);
  return { kind: 'path', path, start, end: start + phantom.length };
};

interface Sent {
  readonly target?: string;
  readonly fields?: readonly string[];
  readonly sites?: readonly PhantomSite[];
  readonly value?: string;
}

/** The request as the upstream gets it: its target, then its fields, without `Host`. */
function sentOn(
  lists: readonly (readonly Placement[])[],
  { target = '/', fields = [], sites = [], value = secret }: Sent,
): readonly string[] | undefined {
  const injection = compileRouteInjection({ lists, all: lists.flat() }, value)?.at(sites);
  if (injection === undefined) return undefined;
  const text = `GET ${target} HTTP/1.1\r\nHost: a.test\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n`;
  const bytes = Buffer.from(text, 'latin1');
  const head = parseRequestHead(bytes, 0, bytes.length) as RequestHead;
  const request = { method: 'GET', ...split(target), host: 'a.test' };
  const lines = rewriteRequestHead(head, request, injection).toString('latin1').trimEnd().split('\r\n');
  const [first = '', , ...others] = lines;
  const overHttp1 = [first.split(' ')[1] ?? '', ...others];
  const headers = Object.fromEntries(
    fields.map((field) => {
      const colon = field.indexOf(': ');
      return [field.slice(0, colon).toLowerCase(), field.slice(colon + 2)];
    }),
  );
  const more = { bodyless: true, protocol: undefined, methodOverride: undefined, pathOverride: undefined };
  const { ':path': path, ...overHttp2 } = requestHeaders({ ...request, ...more, headers }, injection);
  const same = Object.entries(overHttp2).flatMap(([name, each]) =>
    name.startsWith(':') ? [] : `${name}: ${each}`,
  );
  expect([path, ...same]).toEqual([
    overHttp1[0],
    ...overHttp1.slice(1).map((line) => line.replace(/^[^:]*/, (name) => name.toLowerCase())),
  ]);
  return overHttp1;
}

function split(target: string): { readonly path: string; readonly query: string } {
  const question = target.indexOf('?');
  return question === -1
    ? { path: target, query: '' }
    : { path: target.slice(0, question), query: target.slice(question) };
}

describe('of several places', () => {
  it('uses the first one where no phantom is, and leaves the others empty', () => {
    expect(sentOn(gemini, { target: '/v1?a=1' })).toEqual(['/v1?a=1', `x-goog-api-key: ${secret}`]);
    expect(
      sentOn(gemini, { target: '/v1?key=own&a=1', fields: ['Authorization: Bearer own', 'X-A: 1'] }),
    ).toEqual(['/v1?a=1', 'X-A: 1', `x-goog-api-key: ${secret}`]);
  });

  it('uses the one where the phantom is, in any of them', () => {
    const value = `Bearer ${phantom}`;
    expect(
      sentOn(gemini, {
        fields: [`Authorization: ${value}`, 'X-A: 1'],
        sites: [inHeader('authorization', value)],
      }),
    ).toEqual(['/', 'X-A: 1', `Authorization: Bearer ${secret}`]);
    expect(
      sentOn(gemini, { target: `/v1?a=1&key=${phantom}`, sites: [{ kind: 'query', name: 'key' }] }),
    ).toEqual([`/v1?a=1&key=${secret}`]);
  });

  it('sends one credential where the agent sent its phantom twice', () => {
    const value = `Bearer ${phantom}`;
    expect(
      sentOn(gemini, {
        target: `/v1?key=${phantom}`,
        fields: [`Authorization: ${value}`, `x-goog-api-key: ${phantom}`],
        sites: [
          { kind: 'query', name: 'key' },
          inHeader('authorization', value),
          inHeader('x-goog-api-key', phantom),
        ],
      }),
    ).toEqual(['/v1', `x-goog-api-key: ${secret}`]);
  });

  it('tells Bearer from Basic in one header, and takes the first for any other form', () => {
    const lists = [[bearer], [{ ...bearer, prefix: 'token ' } as Placement], [basic]];
    const sentFor = (value: string) =>
      sentOn(lists, { fields: [`authorization: ${value}`], sites: [inHeader('authorization', value)] })?.[1];
    const pair = (password: string) => Buffer.from(`x:${password}`).toString('base64');
    expect(sentFor(`bearer ${phantom}`)).toBe(`Authorization: Bearer ${secret}`);
    expect(sentFor(`token ${phantom}`)).toBe(`Authorization: token ${secret}`);
    expect(sentFor(`Basic ${pair(phantom)}`)).toBe(`Authorization: Basic ${pair(secret)}`);
    expect(sentFor(`Own ${phantom}`)).toBe(`Authorization: Bearer ${secret}`);
  });

  it('never uses a list that cannot take the credential', () => {
    const pair: Placement = { kind: 'basic', username: '', secretAs: 'pair' };
    const value = `Basic ${phantom}`;
    expect(
      sentOn([[goog], [pair]], {
        fields: [`Authorization: ${value}`],
        sites: [inHeader('authorization', value)],
      }),
    ).toEqual(['/', `x-goog-api-key: ${secret}`]);
    expect(sentOn([[pair], [goog]], {})).toBeUndefined();
  });

  it('uses the first that always adds it, where the usual one waits for a phantom', () => {
    expect(sentOn([[bot], [goog]], { target: '/botown/x' })).toEqual([
      '/botown/x',
      `x-goog-api-key: ${secret}`,
    ]);
  });

  it('says which one it used, and never with what', () => {
    const injection = compileRouteInjection({ lists: gemini, all: gemini.flat() }, secret);
    expect(injection?.at([]).placement).toBe('header x-goog-api-key');
    expect(injection?.at([{ kind: 'query', name: 'key' }]).placement).toBe('query key');
  });

  it('makes the same object for the same places, and only so many of them', () => {
    const injection = compileRouteInjection({ lists: gemini, all: gemini.flat() }, secret);
    const site = inHeader('authorization', `Bearer ${phantom}`);
    expect(injection?.at([site])).toBe(injection?.at([{ ...site }]));
    expect(injection?.at([])).toBe(injection?.at([]));
  });
});

it('a place that is always used is written as without any choice', () => {
  const injection = compileRouteInjection({ lists: [[bearer]], all: [bearer] }, secret);
  expect(injection?.at([])).toBe(injection?.at([inHeader('authorization', phantom)]));
});

describe('a place that waits for a phantom', () => {
  const session: Placement = { ...bearer, when: 'phantom' } as Placement;
  const apikey: Placement = { kind: 'header', name: 'apikey', prefix: '' };

  it('leaves the agent’s own value alone, beside a credential that is always added', () => {
    expect(sentOn([[apikey, session]], { fields: ['Authorization: Bearer own-session'] })).toEqual([
      '/',
      'Authorization: Bearer own-session',
      `apikey: ${secret}`,
    ]);
  });

  it('has the phantom replaced', () => {
    const value = `Bearer ${phantom}`;
    expect(
      sentOn([[apikey, session]], {
        fields: [`Authorization: ${value}`],
        sites: [inHeader('authorization', value)],
      }),
    ).toEqual(['/', `apikey: ${secret}`, `Authorization: Bearer ${secret}`]);
  });

  it('adds nothing at all without one', () => {
    const lists = [[session, { kind: 'query', name: 'key', when: 'phantom' } as Placement, bot]];
    const own = { target: '/botown/x?key=own', fields: ['Authorization: Basic own'] };
    expect(sentOn(lists, own)).toEqual([own.target, ...own.fields]);
    const injection = compileRouteInjection({ lists, all: lists.flat() }, secret)?.at([]);
    expect([injection?.isBlank, injection?.placement]).toEqual([true, '']);
  });

  it('in another list keeps the agent’s own value, and no phantom', () => {
    const lists = [[apikey], [session]];
    expect(sentOn(lists, { fields: ['Authorization: own'] })).toEqual([
      '/',
      'Authorization: own',
      `apikey: ${secret}`,
    ]);
    expect(
      sentOn(lists, {
        fields: [`Authorization: x ${phantom}`, `apikey: ${phantom}`],
        sites: [inHeader('authorization', `x ${phantom}`), inHeader('apikey', phantom)],
      }),
    ).toEqual(['/', `apikey: ${secret}`]);
  });
});

describe('a path', () => {
  const at = (path: string, value = secret, lists: readonly (readonly Placement[])[] = [[bot]]) =>
    sentOn(lists, { target: path, sites: [inPath(split(path).path)], value });

  it('has the secret where the phantom was, and every other byte as it was', () => {
    expect(at(`/bot${phantom}/getMe?a=%62`)).toEqual([`/bot${secret}/getMe?a=%62`]);
    expect(at(`/bot${phantom}`)).toEqual([`/bot${secret}`]);
    expect(at(`/bot${phantom}/a%2Fb//`)).toEqual([`/bot${secret}/a%2Fb//`]);
  });

  it.each([
    ['123456:ABC-def_1', '123456:ABC-def_1'],
    ['a/b', 'a%2Fb'],
    ['a?b#c%d;e f', 'a%3Fb%23c%25d%3Be%20f'],
    ['é\u{1f511}', '%C3%A9%F0%9F%94%91'],
    ["!$&'()*+,=@~", "!$&'()*+,=@~"],
  ])('has the secret %s encoded as a segment needs it', (value, encoded) => {
    expect(encodeInSegment(value)).toBe(encoded);
    expect(at(`/bot${phantom}/x`, value)).toEqual([`/bot${encoded}/x`]);
  });

  it.each(['.', '..', '%2e', '..;a', 'a/../b', '..\\b', 'a\r\nb', 'a\0', 'a\x7f', '\ud800'])(
    'does not take the secret %j, which would make another path',
    (value) => {
      expect(sentOn([[{ kind: 'path', template: '/{secret}' }]], { value })).toBeUndefined();
    },
  );

  it('takes dots that do not make up a segment', () => {
    expect(at(`/bot${phantom}/x`, '..')).toEqual(['/bot../x']);
  });

  it('is used before any other place, since a phantom cannot be taken out of it', () => {
    const value = `Bearer ${phantom}`;
    expect(
      sentOn([[bearer], [bot]], {
        target: `/bot${phantom}/getMe`,
        fields: [`Authorization: ${value}`],
        sites: [inHeader('authorization', value), inPath(`/bot${phantom}/getMe`)],
      }),
    ).toEqual([`/bot${secret}/getMe`]);
  });

  it('may be one of two, and stand beside other places', () => {
    const file: Placement = { kind: 'path', template: '/file/bot{secret}/' };
    const lists = [[bot, file, goog]];
    expect(at(`/file/bot${phantom}/a.jpg`, secret, lists)).toEqual([
      `/file/bot${secret}/a.jpg`,
      `x-goog-api-key: ${secret}`,
    ]);
    expect(at(`/bot${phantom}/a`, secret, lists)?.[0]).toBe(`/bot${secret}/a`);
  });

  it.each([
    `/bot${phantom}x/a`,
    `/xbot${phantom}/a`,
    `/a/bot${phantom}/`,
    `/${phantom}/a`,
    `/BOT${phantom}/a`,
  ])('leaves %s alone, where the phantom is in another segment', (path) => expect(at(path)).toEqual([path]));

  it.each([
    ['/v1/{secret}.json/x', `/v1/${phantom}.json/x/y`, `/v1/${secret}.json/x/y`],
    ['/v1/{secret}.json/x', `/v1/${phantom}.json/xy`, `/v1/${phantom}.json/xy`],
    ['/{secret}', `/${phantom}/b`, `/${secret}/b`],
  ])('of the template %s is %s → %s', (template, path, sent) => {
    expect(at(path, secret, [[{ kind: 'path', template }]])).toEqual([sent]);
  });

  it('stays out of the compression tables of HTTP/2', () => {
    const path = `/bot${phantom}/getMe`;
    const injection = compileRouteInjection({ lists: [[bot]], all: [bot] }, secret)?.at([inPath(path)]);
    const target = { method: 'GET', path, query: '', host: 'a.test', headers: {}, bodyless: true };
    const more = { protocol: undefined, methodOverride: undefined, pathOverride: undefined };
    expect(requestHeaders({ ...target, ...more }, injection)).toMatchObject({
      [sensitiveHeaders]: [':path'],
    });
  });
});

it('hands on the places in the content of the list that is used', () => {
  const field: Placement = { kind: 'body', field: 'token' };
  const lists = [[bearer], [field]];
  const injection = compileRouteInjection({ lists, all: lists.flat() }, secret);
  expect(injection?.at([]).content).toEqual([]);
  const used = injection?.at([{ kind: 'body', at: { kind: 'field', field: 'token' } }]);
  expect([used?.content, used?.isBlank, used?.placement]).toEqual([[field], true, 'form field token']);
  expect(used?.names).toEqual(['authorization']);
});

it('the secret is written in the places of one list and nowhere else, whatever the request', () => {
  const places: readonly Placement[] = [
    goog,
    key,
    bearer,
    basic,
    bot,
    { ...goog, when: 'phantom' } as Placement,
    { ...bearer, prefix: 'token ', when: 'phantom' } as Placement,
    { kind: 'query', name: 'access_token', when: 'phantom' },
  ];
  const lists = fc.array(fc.uniqueArray(fc.constantFrom(...places), { minLength: 1, maxLength: 3 }), {
    minLength: 1,
    maxLength: 4,
  });
  const stand = fc.constantFrom('path', 'x-goog-api-key', 'authorization', 'key', 'access_token');
  fc.assert(
    fc.property(lists, fc.uniqueArray(stand), fc.boolean(), (given, where, isBasic) => {
      const unique = given.map((list) => list.filter(isFirstOfItsPart));
      const value = isBasic ? `Basic ${phantom}` : `Bearer ${phantom}`;
      const path = where.includes('path') ? `/bot${phantom}/x` : '/botown/x';
      const parameters = (['key', 'access_token'] as const).map(
        (name) => `${name}=${where.includes(name) ? phantom : 'own'}`,
      );
      const fields = [
        `x-goog-api-key: ${where.includes('x-goog-api-key') ? phantom : 'own'}`,
        `authorization: ${where.includes('authorization') ? value : 'own'}`,
      ];
      const sites = where.map((name): PhantomSite => {
        if (name === 'path') return inPath(path);
        if (name === 'key' || name === 'access_token') return { kind: 'query', name };
        return inHeader(name, name === 'authorization' ? value : phantom);
      });
      const sent = sentOn(unique, { target: `${path}?${parameters.join('&')}`, fields, sites }) ?? [];
      const isOfOneList = unique.some((list) => partsWith(sent).every((part) => list.some(isAt(part))));
      expect(isOfOneList).toBe(true);
    }),
    { numRuns: 400 },
  );
});

/** The parts of a request that have the secret, in any spelling that a place writes. */
function partsWith(sent: readonly string[]): readonly string[] {
  const spellings = [secret, Buffer.from(`x:${secret}`).toString('base64')];
  const has = (text: string): boolean => spellings.some((spelling) => text.includes(spelling));
  const [target = '', ...fields] = sent;
  const { path, query } = split(target);
  return [
    ...(has(path) ? ['path'] : []),
    ...query
      .slice(1)
      .split('&')
      .filter(has)
      .map((pair) => `query ${pair.split('=')[0]}`),
    ...fields.filter(has).map((field) => field.split(':')[0]?.toLowerCase() ?? ''),
  ];
}

function partOf(placement: Placement): string {
  if (placement.kind === 'header') return placement.name.toLowerCase();
  if (placement.kind === 'basic') return 'authorization';
  return placement.kind === 'query' ? `query ${placement.name}` : placement.kind;
}

function isAt(part: string): (placement: Placement) => boolean {
  return (placement) => partOf(placement) === part;
}

function isFirstOfItsPart(placement: Placement, index: number, list: readonly Placement[]): boolean {
  return list.findIndex((other) => partOf(other) === partOf(placement)) === index;
}
