import { createHmac } from 'node:crypto';
import { sensitiveHeaders } from 'node:http2';
import { describe, expect, it } from 'vitest';
import { parseRequestHead, type RequestHead } from '../http1/index.ts';
import { requestHeaders } from '../http2/headers.ts';
import { rewriteRequestHead } from './head.ts';
import { compileInjection, composeInjection, type Injection } from './injection.ts';
import { type PlacementWriter, writerFor } from './placement-writers.ts';
import type { ForwardTarget } from './target.ts';

const secret = 'a-signing-key';
const target = { method: 'POST', path: '/v1/items', query: '?a=1', host: 'a.test' };

function signatureOf({ method, host, path, query }: ForwardTarget): string {
  return createHmac('sha256', secret).update(`${method} ${host}${path}${query}`).digest('hex');
}

/** A placement that signs each request, and says in the query which key it used. */
const signing: PlacementWriter = {
  description: 'hmac signature',
  fields: ['X-Signature'],
  parameters: ['key-id'],
  values: (request) => [signatureOf(request), 'k 1'],
};

function compose(...writers: readonly PlacementWriter[]): Injection {
  return composeInjection(writers, true) as Injection;
}

function overHttp1(injection: Injection, { method, path, query }: ForwardTarget = target): string {
  const text = `${method} ${path}${query} HTTP/1.1\r\nHost: a.test\r\nx_signature: mine\r\n\r\n`;
  const bytes = Buffer.from(text, 'latin1');
  const head = parseRequestHead(bytes, 0, bytes.length) as RequestHead;
  return rewriteRequestHead(head, { ...target, method, path, query }, injection).toString('latin1');
}

function overHttp2(injection: Injection, request: ForwardTarget = target) {
  const headers = { 'x-signature': 'mine', accept: '*/*' };
  const whole = {
    ...request,
    headers,
    bodyless: true,
    protocol: undefined,
    methodOverride: undefined,
    pathOverride: undefined,
  };
  return requestHeaders(whole, injection);
}

describe('a placement that computes', () => {
  it('signs each HTTP/1.1 request for itself', () => {
    const injection = compose(signing);
    expect(overHttp1(injection)).toBe(
      `POST /v1/items?a=1&key-id=k%201 HTTP/1.1\r\nHost: a.test\r\nX-Signature: ${signatureOf(target)}\r\n\r\n`,
    );
    const other = { ...target, method: 'GET', path: '/v1/others' };
    expect(signatureOf(other)).not.toBe(signatureOf(target));
    expect(overHttp1(injection, other)).toContain(`X-Signature: ${signatureOf(other)}\r\n`);
  });

  it('signs each HTTP/2 request for itself, and keeps the signature out of compression tables', () => {
    const injection = compose(signing);
    const sent = overHttp2(injection);
    expect(sent).toMatchObject({
      ':path': '/v1/items?a=1&key-id=k%201',
      'x-signature': signatureOf(target),
      [sensitiveHeaders]: ['x-signature'],
    });
    const other = { ...target, method: 'GET' };
    expect(overHttp2(injection, other)).toMatchObject({ 'x-signature': signatureOf(other) });
  });

  it('goes beside placements that do not compute', () => {
    const header = writerFor({ kind: 'header', name: 'X-Api-Key', prefix: '' }, secret) as PlacementWriter;
    const injection = compose(header, signing);
    expect(overHttp1(injection)).toContain(`X-Api-Key: ${secret}\r\nX-Signature: ${signatureOf(target)}\r\n`);
    expect(injection.placement).toBe('header x-api-key, hmac signature');
    expect(injection.names).toEqual(['x-api-key', 'x-signature']);
  });

  it.each([
    ['a line break', ['a\r\nX-Evil: 1', 'k']],
    ['no value', []],
    ['a lone surrogate in the query', ['a', '\ud800']],
  ])('writes nothing, and quotes nothing, when it computes %s', (_, values) => {
    const injection = compose({ ...signing, values: () => values });
    expect(() => injection.fieldsFor(target)).toThrow(new TypeError('cannot be written as hmac signature'));
  });

  it.each(['Host', 'Transfer_Encoding', 'X Signature'])('is refused when it would write %s', (name) => {
    expect(composeInjection([{ ...signing, fields: [name] }], true)).toBeUndefined();
  });
});

describe('a placement that does not compute', () => {
  it('writes the same object on every request', () => {
    const injection = compileInjection([{ kind: 'header', name: 'X-Api-Key', prefix: '' }], secret);
    const first = injection?.fieldsFor(target);
    expect(first?.lines).toBe(`X-Api-Key: ${secret}\r\n`);
    expect(injection?.fieldsFor({ ...target, path: '/other' })).toBe(first);
  });
});
