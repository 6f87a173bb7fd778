import { describe, expect, it } from 'vitest';
import { Field } from './fields.ts';
import { hopByHopInHttp2, hopByHopInRequest, hopByHopInResponse } from './hop-by-hop.ts';

const namesOf = (kinds: Uint8Array): readonly string[] =>
  Object.entries(Field).flatMap(([name, kind]) => (kinds[kind] === 1 ? [name] : []));

describe('fields of one connection', () => {
  it('are removed from HTTP/1 requests', () => {
    expect(namesOf(hopByHopInRequest)).toEqual([
      'connection',
      'keepAlive',
      'proxyConnection',
      'proxyAuthorization',
      'proxyAuthenticate',
      'te',
      'upgrade',
      'http2Settings',
    ]);
  });

  it('are removed from HTTP/1 responses', () => {
    expect(namesOf(hopByHopInResponse)).toEqual([
      'connection',
      'keepAlive',
      'proxyConnection',
      'proxyAuthenticate',
      'te',
    ]);
  });

  it('are removed from HTTP/2 messages, with what HTTP/2 says elsewhere', () => {
    expect([...hopByHopInHttp2].sort()).toEqual([
      'connection',
      'host',
      'http2-settings',
      'keep-alive',
      'proxy-authenticate',
      'proxy-authorization',
      'proxy-connection',
      'transfer-encoding',
      'upgrade',
    ]);
  });
});
