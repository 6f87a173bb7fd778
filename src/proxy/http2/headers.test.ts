import { sensitiveHeaders } from 'node:http2';
import { expect, it } from 'vitest';
import { compileInjection } from '../inject/index.ts';
import { relayedTrailers, requestHeaders } from './headers.ts';

it('drops trailers that ask for a different method or path', () => {
  const trailers = { 'x-http-method-override': 'DELETE', x_original_url: '/prod', 'x-cost': '1' };
  expect(relayedTrailers(trailers)).toEqual({ 'x-cost': '1' });
});

it('adds a header beside the credential to what the agent sent, and removes the place of other keys', () => {
  const injection = compileInjection(
    [
      {
        kind: 'header',
        name: 'Authorization',
        prefix: 'Bearer ',
        instead: ['X-Api-Key'],
        beside: [{ name: 'Api-Beta', value: 'new' }],
      },
    ],
    'a-token',
  );
  const request = (headers: Record<string, string>) => ({
    method: 'GET',
    path: '/',
    query: '',
    host: 'a.test',
    bodyless: true,
    protocol: undefined,
    methodOverride: undefined,
    pathOverride: undefined,
    headers,
  });
  const sent = requestHeaders(request({ 'x-api-key': 'phantom', 'api-beta': 'mine' }), injection);
  expect(sent).toMatchObject({
    authorization: 'Bearer a-token',
    'api-beta': 'mine, new',
    [sensitiveHeaders]: ['authorization'],
  });
  expect(sent).not.toHaveProperty('x-api-key');
  expect(requestHeaders(request({}), injection)).toMatchObject({ 'api-beta': 'new' });
});
