import { expect, it } from 'vitest';
import { relayedTrailers } from './headers.ts';

it('drops trailers that ask for a different method or path', () => {
  const trailers = { 'x-http-method-override': 'DELETE', x_original_url: '/prod', 'x-cost': '1' };
  expect(relayedTrailers(trailers)).toEqual({ 'x-cost': '1' });
});
