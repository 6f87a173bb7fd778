import { describe, expect, it } from 'vitest';
import { AuthsomeError } from '../../errors.ts';
import { asksOf } from '../asks.ts';
import { parseProvider } from './definition.ts';
import { unknownFields } from './unknown-fields.ts';

const keyed = { name: 'acme', auth_type: 'api_key', api_url: 'api.acme.test' };
const withRule = (rule: object) => ({ ...keyed, inject: [{ hosts: 'b.acme.test', ...rule }] });
const withPlacement = (placement: object) => withRule({ placements: [placement] });

function ruleOf(document: unknown, index = 1) {
  const rule = parseProvider(document, 'custom').inject[index];
  return { placements: rule?.placements, alternatives: rule?.alternatives };
}

function faultOf(document: unknown): string {
  try {
    parseProvider(document, 'custom');
  } catch (error) {
    if (error instanceof AuthsomeError) return `${error.code} ${error.message}`;
    throw error;
  }
  return 'accepted';
}

describe('a place', () => {
  it.each([
    { kind: 'header', name: 'X-Key', prefix: '', when: 'phantom' },
    { kind: 'query', name: 'key', when: 'phantom' },
    { kind: 'path', template: '/bot{secret}/' },
    { kind: 'path', template: '/v1/{secret}' },
    { kind: 'path', template: '/a/x-{secret}.json/b;c=1' },
    { kind: 'body', pointer: '/auth/a~1b/0' },
    { kind: 'body', pointer: '/' },
    { kind: 'body', field: 'token' },
    { kind: 'websocket', pointer: '/d/token' },
    { kind: 'websocket' },
  ])('is as written: %j', (placement) => {
    expect(ruleOf(withPlacement(placement))).toEqual({ placements: [placement], alternatives: undefined });
    expect(unknownFields(withPlacement(placement))).toEqual([]);
  });

  it('always gets the credential unless it says otherwise', () => {
    const [basic, header] = [{ kind: 'basic' }, { kind: 'header', name: 'X-Key', prefix: '' }];
    for (const when of [undefined, 'always'])
      expect(ruleOf(withRule({ placements: [{ ...header, when }] })).placements).toEqual([header]);
    expect(ruleOf(withPlacement({ ...basic, when: 'phantom' })).placements).toEqual([
      { kind: 'basic', username: '', secretAs: 'password', when: 'phantom' },
    ]);
  });

  const refused: readonly (readonly [string, object])[] = [
    ['when: must be one of always, phantom', { kind: 'header', name: 'X-Key', when: 'never' }],
    ['when: must be phantom', { kind: 'path', template: '/{secret}', when: 'always' }],
    ['template: must say where', { kind: 'path' }],
    ['template: must be a string', { kind: 'path', template: ['/{secret}'] }],
    ...[
      ...['bot{secret}/', '/bot', '/{secret}/{secret}', '/{secret}-{secret}', '/a//{secret}', '//{secret}'],
      ...['/{secret}?a=1', '/{secret}#a', '/%41/{secret}', '/a b/{secret}', '/a\\{secret}', '/{Secret}'],
      ...[
        '/é/{secret}',
        '/a\r\n{secret}',
        `/${'a'.repeat(300)}/{secret}`,
        '{base_url}/{secret}',
        '/{secret}//',
      ],
    ].map((template) => ['template: must be an absolute path', { kind: 'path', template }] as const),
    ...['/../{secret}', '/./{secret}', '/{secret}/..', '/..;a=1/{secret}'].map(
      (template) => ['template: must have no segment of dots', { kind: 'path', template }] as const,
    ),
    ['field: must be there, or pointer', { kind: 'body' }],
    ['field: must not stand beside pointer', { kind: 'body', field: 'a', pointer: '/a' }],
    ...['a', '/~', '/~2', `/${'a'.repeat(300)}`, '/a\n', '/\ud800'].flatMap((pointer) =>
      ['body', 'websocket'].map((kind) => ['pointer: must be a JSON', { kind, pointer }] as const),
    ),
    ['pointer: must be a string that is not empty', { kind: 'body', pointer: '' }],
    ...['a\u0000', 'a\u202e', 'a'.repeat(201), '\ud800'].map(
      (field) => ['field: must be the name of a form field', { kind: 'body', field }] as const,
    ),
    ['name: must be a header name', { kind: 'header', name: 'a'.repeat(201) }],
  ];
  it.each(refused)('has a fault that names the field: %s %j', (sentence, placement) => {
    expect(faultOf(withPlacement(placement))).toContain(
      `InvalidDefinition /inject/0/placements/0/${sentence}`,
    );
  });

  it('is in a list once', () => {
    const header = { kind: 'header', name: 'X-Key' };
    for (const list of [
      [header, { ...header, name: 'x_KEY', when: 'phantom' }],
      [{ kind: 'basic' }, { kind: 'header', name: 'Authorization', prefix: 'Bearer' }],
      [
        { kind: 'query', name: 'key' },
        { kind: 'query', name: 'key', when: 'phantom' },
      ],
    ])
      expect(faultOf(withRule({ placements: list }))).toContain('/inject/0/placements/1/kind: must not use');
  });
});

describe('any_of', () => {
  const [query, basic] = [
    { kind: 'query', name: 'key' },
    { kind: 'basic', username: 'x' },
  ];
  const parsed = [
    { kind: 'query', name: 'key' },
    { kind: 'basic', username: 'x', secretAs: 'password' },
  ];

  it('follows the usual place on the hosts of api_url', () => {
    expect(ruleOf({ ...keyed, any_of: [[query, basic], [basic]] }, 0)).toEqual({
      placements: [{ kind: 'header', name: 'Authorization', prefix: 'Bearer ' }],
      alternatives: [parsed, [parsed[1]]],
    });
  });

  it('follows the placements of its entry, or stands alone', () => {
    const expected = { placements: [parsed[0]], alternatives: [[parsed[1]]] };
    expect(ruleOf(withRule({ placements: [query], any_of: [[basic]] }))).toEqual(expected);
    expect(ruleOf(withRule({ any_of: [[query], [basic]] }))).toEqual(expected);
  });

  it('may differ at an address of one’s own', () => {
    const document = {
      ...keyed,
      base_url: 'https://acme.test',
      api_url: '{base_url}',
      any_of: [[query]],
      self_hosted: { any_of: [[basic]] },
    };
    const asked = parseProvider(document, 'custom', { baseUrl: 'https://own.test' });
    expect(asked.inject[0]?.alternatives).toEqual([[parsed[1]]]);
  });

  it.each([
    ['/inject/0/placements: must say where', withRule({})],
    ['/inject/0/any_of: must be a list', withRule({ any_of: [] })],
    ['/inject/0/any_of: must be a list', withRule({ any_of: query })],
    ['/inject/0/any_of/0: must be a list', withRule({ any_of: [query] })],
    ['/inject/0/any_of/0: must be a list', withRule({ any_of: [[]] })],
    ['/inject/0/any_of/0/1: must be an object', withRule({ any_of: [[query, 1]] })],
    ['/inject/0/any_of/1/0/name: must name', withRule({ any_of: [[basic], [{ kind: 'query' }]] })],
    ['/inject/0/any_of: must not be longer', withRule({ any_of: Array.from({ length: 9 }, () => [query]) })],
    [
      '/inject/0/any_of/0: must not be longer',
      withRule({ any_of: [Array.from({ length: 9 }, (_, i) => ({ kind: 'query', name: `k${i}` }))] }),
    ],
    [
      '/inject/0/placements: must not be longer',
      withRule({ placements: Array.from({ length: 9 }, (_, i) => ({ kind: 'query', name: `k${i}` })) }),
    ],
    [
      '/any_of: must stand beside api_url',
      {
        ...keyed,
        api_url: null,
        any_of: [[query]],
        inject: [{ hosts: 'a.acme.test', placements: [query] }],
      },
    ],
  ])('has a fault that names the field: %s', (fault, document) => {
    expect(faultOf(document)).toContain(`InvalidDefinition ${fault}`);
  });
});

it('a person sees every place, and a misspelled field of one is named', () => {
  const document = {
    ...keyed,
    any_of: [[{ kind: 'query', name: 'key', wen: 'phantom' }]],
    inject: [
      {
        hosts: 'bot.acme.test',
        placements: [{ kind: 'path', template: '/bot{secret}/' }],
        any_of: [
          [{ kind: 'body', field: 'token' }],
          [{ kind: 'body', pointer: '/auth/token', feild: 'token' }],
          [{ kind: 'websocket' }, { kind: 'websocket', pointer: '/d/token' }],
        ],
      },
    ],
  };
  expect(asksOf(parseProvider(document, 'custom')).placements).toEqual([
    'header Authorization, at api.acme.test',
    'query parameter key, at api.acme.test',
    'path /bot{secret}/, at bot.acme.test',
    'form field token, at bot.acme.test',
    'JSON body /auth/token, at bot.acme.test',
    'whole WebSocket messages, at bot.acme.test',
    'WebSocket messages /d/token, at bot.acme.test',
  ]);
  expect(unknownFields(document)).toEqual([
    { pointer: '/any_of/0/0/wen', meant: 'when' },
    { pointer: '/inject/0/any_of/1/0/feild', meant: 'field' },
  ]);
});
