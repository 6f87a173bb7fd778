import { describe, expect, it } from 'vitest';
import type { ConnectionSummary } from '../connections/index.ts';
import { AuthsomeError } from '../errors.ts';
import { reselectConnections, selectConnections } from './selection.ts';

const connection = (provider: string, name: string, isDefault: boolean): ConnectionSummary => ({
  provider,
  name,
  isDefault,
  authType: 'api_key',
  flow: 'api_key',
  status: 'connected',
  scopes: [],
  expiresAtMs: undefined,
  obtainedAtMs: 0,
  refreshable: false,
  baseUrl: undefined,
  account: undefined,
  approved: undefined,
});
const stored = [
  connection('github', 'default', true),
  connection('github', 'work', false),
  connection('openai', 'default', true),
];
const requireProvider = (name: string): void => {
  if (!['github', 'openai', 'linear'].includes(name)) {
    throw new AuthsomeError('ProviderNotFound', `no such provider: ${name}`);
  }
};
const select = (providers: readonly string[], connections: Readonly<Record<string, string>> = {}) =>
  selectConnections({ providers, connections }, stored, requireProvider).map(
    (selected) => `${selected.provider}/${selected.connection}`,
  );

describe('the connections of a run', () => {
  it('are every default one, when nothing is named', () => {
    expect(select([])).toEqual(['github/default', 'openai/default']);
    expect(select([], { github: 'work' })).toEqual(['github/work', 'openai/default']);
  });

  it('are those that are named, and no others', () => {
    expect(select(['github'])).toEqual(['github/default']);
    expect(select(['github/work'])).toEqual(['github/work']);
    expect(select(['github'], { github: 'work' })).toEqual(['github/work']);
  });

  it('must exist', () => {
    const code = (value: string) => expect.objectContaining({ code: value });
    expect(() => select(['githb'])).toThrow(code('ProviderNotFound'));
    expect(() => select(['linear'])).toThrow(code('ConnectionNotFound'));
    expect(() => select(['linear'])).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('authsome login linear') }),
    );
    expect(() => select(['github/wrok'])).toThrow(
      expect.objectContaining({
        hint: 'Available: default, work. Sign in with: authsome login github --connection wrok',
      }),
    );
  });

  it('are one of each provider', () => {
    expect(() => select(['github/work', 'github/default'])).toThrow(/two github connections/);
    expect(() => select(['github/work'], { github: 'default' })).toThrow(/two github connections/);
  });
});

describe('after a change', () => {
  const had = [{ provider: 'github', connection: 'default', baseUrl: undefined, approved: undefined }];
  const now = (
    request: { providers: readonly string[]; connections: Readonly<Record<string, string>> },
    connections: readonly ConnectionSummary[],
  ) =>
    reselectConnections(request, had, connections)
      .map((selected) => `${selected.provider}/${selected.connection}`)
      .sort();

  it('a run that named nothing follows the defaults, and gains what is connected', () => {
    const changed = [
      connection('github', 'default', false),
      connection('github', 'work', true),
      connection('openai', 'default', true),
    ];
    expect(now({ providers: [], connections: {} }, changed)).toEqual(['github/work', 'openai/default']);
  });

  it('a run that named its provider keeps what it had', () => {
    const changed = [
      connection('github', 'default', false),
      connection('github', 'work', true),
      connection('openai', 'default', true),
    ];
    expect(now({ providers: ['github'], connections: {} }, changed)).toEqual(['github/default']);
  });

  it('a connection that was removed stays routed, so that its requests are refused and not passed on', () => {
    expect(now({ providers: [], connections: {} }, [])).toEqual(['github/default']);
  });
});
