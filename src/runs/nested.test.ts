import { describe, expect, it } from 'vitest';
import { inAll, nestedRequest, requireWithin } from './nested.ts';
import type { Selected } from './selection.ts';

const selected = (key: string): Selected => {
  const [provider = '', connection = ''] = key.split('/');
  return { provider, connection, baseUrl: undefined, approved: undefined };
};
const outer = (keys: readonly string[], isTrusted = false) => ({
  ...{ id: 'run_outer', isTrusted, selected: keys.map(selected) },
});
const stored = ['github/default', 'github/work', 'openai/default'].map((key) => {
  const [provider = '', name = ''] = key.split('/');
  return { provider, name };
});
const ask = (
  keys: readonly string[],
  providers: readonly string[] = [],
  connections: Readonly<Record<string, string>> = {},
) => nestedRequest({ providers, connections }, outer(keys), stored);

describe('a nested run', () => {
  it('asks for the connections of the outer one, and for nothing that comes later', () => {
    expect(ask(['github/work', 'openai/default'])).toEqual({
      ...{ providers: ['github/work', 'openai/default'], connections: {}, isFixed: true },
    });
    expect(ask([])).toEqual({ providers: [], connections: {}, isFixed: true });
  });

  it('means the outer one’s connection where it names a provider only', () => {
    expect(ask(['github/work'], ['github']).providers).toEqual(['github/work']);
    expect(ask(['github/work'], ['github/default', 'openai']).providers).toEqual([
      'github/default',
      'openai',
    ]);
    const named = ask(['github/work'], [], { github: 'default' });
    expect([named.providers, named.connections]).toEqual([['github'], { github: 'default' }]);
  });

  it('does not ask for a connection that is gone', () => {
    expect(ask(['linear/default', 'openai/default']).providers).toEqual(['openai/default']);
  });

  it('is refused a connection that the outer one does not have, unless that is trusted', () => {
    const wanted = ['github/default', 'openai/default'].map(selected);
    expect(() => requireWithin(wanted, outer(['github/default', 'openai/default']), 'sh')).not.toThrow();
    expect(() => requireWithin(wanted, outer([], true), 'sh')).not.toThrow();
    expect(() => requireWithin(wanted, outer(['github/work', 'openai/default']), 'sh')).toThrow(
      expect.objectContaining({
        code: 'DeniedInRun',
        message: expect.stringContaining('using github/default, which'),
        hint: expect.stringContaining('authsome run -p github/default -- sh'),
      }),
    );
  });

  it('has of several outer ones what all of them have', () => {
    const keys = [['github/work', 'openai/default'], ['openai/default'], ['openai/default', 'x/y']];
    expect(inAll(keys.map((each) => each.map(selected)))).toEqual([selected('openai/default')]);
    expect(inAll([])).toEqual([]);
  });
});
