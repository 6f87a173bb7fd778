import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Placement } from '../../providers/index.ts';
import { parseRequestHead, type RequestHead } from '../http1/index.ts';
import { compileInjection, placeParameter, rewriteRequestHead } from './index.ts';

const secret = 'sk-live-secret';
const bearer: Placement = { kind: 'header', name: 'Authorization', prefix: 'Bearer ' };

function head(...lines: readonly string[]): RequestHead {
  const bytes = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  return parseRequestHead(bytes, 0, bytes.length) as RequestHead;
}

function rewritten(request: RequestHead, placements: readonly Placement[], value = secret): string {
  const [path = '', ...query] = request.target.split('?');
  const target = {
    method: request.method,
    path,
    query: query.length === 0 ? '' : `?${query.join('?')}`,
    host: 'a.test',
  };
  return rewriteRequestHead(request, target, compileInjection(placements, value)).toString('latin1');
}

describe('a header', () => {
  it('is added at the end', () => {
    expect(rewritten(head('GET / HTTP/1.1', 'Host: a.test', 'X-A: 1'), [bearer])).toBe(
      `GET / HTTP/1.1\r\nHost: a.test\r\nX-A: 1\r\nAuthorization: Bearer ${secret}\r\n\r\n`,
    );
  });

  it('replaces every spelling and duplicate of what the agent put there', () => {
    const request = head(
      'GET / HTTP/1.1',
      'x-api-key: one',
      'Host: a.test',
      'X-API-KEY: two',
      'X_Api_Key: three',
      'x-api_KEY:four',
      'X-Api-Keys: stays',
      'X-Api-Ke: stays',
    );
    const out = rewritten(request, [{ kind: 'header', name: 'X-Api-Key', prefix: '' }]);
    expect(out).toBe(
      `GET / HTTP/1.1\r\nHost: a.test\r\nX-Api-Keys: stays\r\nX-Api-Ke: stays\r\nX-Api-Key: ${secret}\r\n\r\n`,
    );
  });

  it('leaves the agent’s Authorization alone where the credential goes elsewhere', () => {
    const out = rewritten(head('GET / HTTP/1.1', 'Host: a.test', 'Authorization: Bearer x'), [
      { kind: 'header', name: 'X-Api-Key', prefix: '' },
    ]);
    expect(out).toContain('Authorization: Bearer x\r\n');
  });

  it('may have any prefix, and several may be placed at once', () => {
    const out = rewritten(head('GET /?a=1 HTTP/1.1', 'Host: a.test'), [
      { kind: 'header', name: 'Authorization', prefix: 'token ' },
      { kind: 'header', name: 'X-Copy', prefix: '' },
      { kind: 'query', name: 'key' },
    ]);
    expect(out).toBe(
      `GET /?a=1&key=${secret} HTTP/1.1\r\nHost: a.test\r\nAuthorization: token ${secret}\r\nX-Copy: ${secret}\r\n\r\n`,
    );
  });
});

it('adds the header beside a credential, and removes the place of other keys', () => {
  const request = head('GET / HTTP/1.1', 'Host: a.test', 'X_Api-Key: phantom', 'Api-Beta: mine');
  const out = rewritten(request, [
    { ...bearer, instead: ['x-api-key'], beside: [{ name: 'Api-Beta', value: 'new' }] } as Placement,
  ]);
  expect(out).toBe(
    'GET / HTTP/1.1\r\nHost: a.test\r\nApi-Beta: mine\r\nAuthorization: Bearer sk-live-secret\r\nApi-Beta: new\r\n\r\n',
  );
});

it.each([
  { name: 'Transfer-Encoding', value: 'chunked' },
  { name: 'X-A', value: 'a\r\nX-B: c' },
])('writes nothing when the header beside it is $name: $value', (field) => {
  expect(compileInjection([{ ...bearer, beside: [field] } as Placement], secret)).toBeUndefined();
});

describe('basic', () => {
  it('takes the secret as password', () => {
    const out = rewritten(head('GET / HTTP/1.1', 'Host: a.test', 'authorization: Basic eDp5'), [
      { kind: 'basic', username: 'x-access-token', secretAs: 'password' },
    ]);
    expect(out).toContain(
      `Authorization: Basic ${Buffer.from(`x-access-token:${secret}`).toString('base64')}\r\n`,
    );
    expect(out).not.toContain('eDp5');
  });

  it('takes the secret as user name, with an empty password', () => {
    const out = rewritten(head('GET / HTTP/1.1', 'Host: a.test'), [
      { kind: 'basic', username: '', secretAs: 'username' },
    ]);
    expect(out).toContain(`Basic ${Buffer.from(`${secret}:`).toString('base64')}`);
  });
});

describe('a query parameter', () => {
  const cases: readonly (readonly [name: string, query: string, expected: string])[] = [
    ['is the first', '', '?key=S'],
    ['follows a lone question mark', '?', '?key=S'],
    ['goes to the end', '?a=1', '?a=1&key=S'],
    ['takes the place of what the agent put there', '?a=1&key=x&b=2', '?a=1&key=S&b=2'],
    ['replaces duplicates', '?key=x&a=1&key=y&key', '?key=S&a=1'],
    ['replaces encoded spellings', '?k%65y=x&%6B%65%79=y&a', '?key=S&a'],
    [
      'touches nothing else',
      '?a=%zz&b=+%20&=&&c=é&keys=1&key2=&Key=3',
      '?a=%zz&b=+%20&=&&c=é&keys=1&key2=&Key=3&key=S',
    ],
    ['has its name without a value', '?key', '?key=S'],
    ['is not what stands in a value', '?a=key=x', '?a=key=x&key=S'],
    ['survives escapes that are no UTF-8', '?%ff=1&key=x', '?%ff=1&key=S'],
  ];
  for (const [name, query, expected] of cases) {
    it(name, () => expect(placeParameter(query, 'key', 'key=S')).toBe(expected));
  }

  it('is encoded, name and value', () => {
    const out = rewritten(
      head('GET /p HTTP/1.1', 'Host: a.test'),
      [{ kind: 'query', name: 'a key' }],
      "s&=+#/?é'",
    );
    expect(out).toContain('GET /p?a%20key=s%26%3D%2B%23%2F%3F%C3%A9%27 HTTP/1.1\r\n');
  });

  it('leaves every other pair unmodified, whatever they are', () => {
    const pair = fc.stringMatching(/^[!-%'-~]{0,12}$/).filter((text) => !/^k|^%6b/i.test(text));
    fc.assert(
      fc.property(fc.array(pair, { minLength: 1 }), (pairs) => {
        const query = `?${pairs.join('&')}`;
        if (query === '?') return;
        expect(placeParameter(query, 'key', 'key=S')).toBe(`${query}&key=S`);
      }),
    );
  });
});

describe('is refused', () => {
  const refused: readonly (readonly [name: string, placements: readonly Placement[], value: string])[] = [
    ['with a line break in the secret', [bearer], 'a\r\nX-Evil: 1'],
    ['with a lone LF in the secret', [bearer], 'a\nb'],
    ['with NUL in the secret', [bearer], 'a\0'],
    ['with a character beyond ASCII in a header', [bearer], 'sécret'],
    ['with white space at the end of the secret', [bearer], 'a '],
    ['with an empty secret', [bearer], ''],
    ['without a place', [], secret],
    ['with a line break in the prefix', [{ kind: 'header', name: 'X-A', prefix: 'a\r\nX-B: ' }], secret],
    ['with an invalid name', [{ kind: 'header', name: 'X A', prefix: '' }], secret],
    ['in a field that frames', [{ kind: 'header', name: 'Transfer_Encoding', prefix: '' }], secret],
    ['in Host', [{ kind: 'header', name: 'host', prefix: '' }], secret],
    ['with a colon in the user name', [{ kind: 'basic', username: 'a:b', secretAs: 'password' }], secret],
    [
      'with a control character in a password',
      [{ kind: 'basic', username: 'a', secretAs: 'password' }],
      'a\x7f',
    ],
    ['in a query without a name', [{ kind: 'query', name: '' }], secret],
  ];
  for (const [name, placements, value] of refused) {
    it(name, () => expect(compileInjection(placements, value)).toBeUndefined());
  }
});

it('the decided host replaces what Host said in another spelling', () => {
  expect(rewritten(head('GET / HTTP/1.1', 'HOST:  A.Test.:443', 'X-A: 1'), [])).toBe(
    'GET / HTTP/1.1\r\nHost: a.test\r\nX-A: 1\r\n\r\n',
  );
});

it('what is placed is described without its value', () => {
  const injection = compileInjection([bearer, { kind: 'query', name: 'key' }], secret);
  expect(injection?.placement).toBe('header authorization, query key');
});
