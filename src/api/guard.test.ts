import { describe, expect, it } from 'vitest';
import { refusalOf } from './guard.ts';

const host = '127.0.0.1:7998';
const allowed = new Set([host, 'localhost:7998']);
const usual = {
  method: 'GET',
  urlHost: host,
  path: '/v1/whoami',
  host,
  origin: undefined,
  fetchSite: undefined,
  fetchMode: undefined,
  fetchDest: undefined,
};
const refusal = (changes: object) => refusalOf({ ...usual, ...changes }, allowed);
const page = {
  path: '/auth/callback/oauth',
  fetchSite: 'cross-site',
  fetchMode: 'navigate',
  fetchDest: 'document',
};

describe('the guard', () => {
  it('lets programs and our own pages through', () => {
    expect(refusal({})).toBeUndefined();
    expect(refusal({ host: 'localhost:7998', urlHost: 'localhost:7998' })).toBeUndefined();
    expect(refusal({ origin: `http://${host}`, fetchSite: 'same-origin', method: 'POST' })).toBeUndefined();
    expect(refusal({ origin: 'null', fetchSite: 'same-origin', method: 'POST' })).toBeUndefined();
  });

  it('lets a person come from elsewhere to a page, and to nothing else', () => {
    expect(refusal(page)).toBeUndefined();
    expect(refusal({ ...page, path: '/v1/whoami' })).toBeDefined();
    expect(refusal({ ...page, path: '/health' })).toBeDefined();
    expect(refusal({ ...page, method: 'POST' })).toBeDefined();
    expect(refusal({ ...page, fetchMode: 'no-cors' })).toBeDefined();
    expect(refusal({ ...page, fetchMode: undefined })).toBeDefined();
    for (const fetchDest of ['iframe', 'frame', 'embed', 'object', undefined]) {
      expect(refusal({ ...page, fetchDest })).toBeDefined();
    }
  });

  it('takes exactly the daemon’s own names as Host', () => {
    for (const name of [undefined, '', 'evil.example:7998', '127.0.0.1', '127.0.0.1:79980', '127.1:7998']) {
      expect(refusal({ host: name, urlHost: name })).toBeDefined();
    }
    expect(refusal({ urlHost: 'evil.example' })).toBeDefined();
  });

  it('takes no other origin, not even another port or scheme of this machine', () => {
    for (const origin of ['http://127.0.0.1:8000', `https://${host}`, 'http://localhost:7998', 'null', '']) {
      expect(refusal({ origin })).toBeDefined();
    }
    expect(refusal({ origin: 'null', fetchSite: 'cross-site' })).toBeDefined();
    expect(refusal({ fetchSite: 'same-site' })).toBeDefined();
  });
});
