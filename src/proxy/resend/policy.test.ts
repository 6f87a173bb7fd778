import { describe, expect, it } from 'vitest';
import { mayRenew, mayRetry } from './policy.ts';

describe('a request whose connection failed', () => {
  const attempt = { method: 'GET', hasContent: false, isUnprocessed: true, wasRetried: false };

  it.each(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])('is sent once more if it is %s', (method) => {
    expect(mayRetry({ ...attempt, method })).toBe(true);
    expect(mayRetry({ ...attempt, method, wasRetried: true })).toBe(false);
  });

  it.each([
    ['may have been processed', { isUnprocessed: false }],
    ['has a body', { hasContent: true }],
    ['must not be processed twice', { method: 'POST' }],
    ['is of an unknown method', { method: 'get' }],
  ])('is not sent again if it %s', (_, change) => {
    expect(mayRetry({ ...attempt, ...change })).toBe(false);
  });
});

describe('a request that a 401 rejected', () => {
  const attempt = { isRenewable: true, wasRenewed: false, isSent: true, body: [] };

  it('is sent once more with a newer credential', () => {
    expect(mayRenew(attempt)).toBe(true);
    expect(mayRenew({ ...attempt, wasRenewed: true })).toBe(false);
  });

  it.each([
    ['carried no credential', { isRenewable: false }],
    ['is still being sent', { isSent: false }],
    ['has a body that was not kept', { body: undefined }],
  ])('is not sent again if it %s', (_, change) => {
    expect(mayRenew({ ...attempt, ...change })).toBe(false);
  });
});
