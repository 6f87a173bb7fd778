import { describe, expect, it } from 'vitest';
import type { ConnectionSummary } from '../connections/index.ts';
import { AuthsomeError } from '../errors.ts';
import { reselectConnections, type Selected, selectConnections } from './selection.ts';

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
const requireProvider = (name: string) => {
  if (!['github', 'openai', 'linear', 'agent'].includes(name)) {
    throw new AuthsomeError('ProviderNotFound', `no such provider: ${name}`);
  }
  return name === 'agent' ? { capture: {} } : {};
};
const select = (providers: readonly string[], connections: Readonly<Record<string, string>> = {}) =>
  selectConnections({ providers, connections }, stored, requireProvider).map(
    (selected) => `${selected.provider}/${selected.connection}`,
  );

describe('the connections of a run', () => {
  it('need not be there for a provider whose program signs in within the run', () => {
    expect(select(['agent', 'github'])).toEqual(['github/default']);
    expect(select(['agent/work'])).toEqual([]);
  });

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

  it('are several of one provider where it is asked for; the first is the default', () => {
    const all = (...args: Parameters<typeof selectConnections>) =>
      selectConnections(...args).map(({ provider, connection, isFurther = false, variables = [] }) =>
        [`${provider}/${connection}`, isFurther ? 'further' : 'default', ...variables].join(' '),
      );
    const bot = { provider: 'github', connection: 'work', variable: 'GH_BOT_TOKEN' };
    const ask = (
      providers: readonly string[],
      connections: Readonly<Record<string, string>>,
      further: readonly (typeof bot | { provider: string; connection: string })[],
    ) => all({ providers, connections, further }, stored, requireProvider);
    // The person's default, where the provider is named too.
    expect(ask(['github'], {}, [bot])).toEqual([
      'github/default default',
      'github/work further GH_BOT_TOKEN',
    ]);
    expect(ask(['github/work', 'github/default'], {}, [])).toEqual([
      'github/work default',
      'github/default further',
    ]);
    expect(ask(['github/work'], { github: 'default' }, [])).toEqual([
      'github/work default',
      'github/default further',
    ]);
    // Nothing else of it is named: the first one.
    expect(ask([], {}, [bot])).toEqual(['github/work default GH_BOT_TOKEN', 'openai/default default']);
    expect(ask([], { github: 'default' }, [{ provider: 'github', connection: 'work' }])).toEqual([
      'github/default default',
      'github/work further',
      'openai/default default',
    ]);
    // One connection may have two variables, and be named twice.
    expect(ask(['github/work'], {}, [bot, { ...bot, variable: 'OTHER_TOKEN' }])).toEqual([
      'github/work default GH_BOT_TOKEN OTHER_TOKEN',
    ]);
    expect(() => ask(['github'], {}, [{ ...bot, connection: 'wrok' }])).toThrow('github/wrok');
  });

  it('share no variable, and have none that steers programs', () => {
    const usage = (message: RegExp) =>
      expect.objectContaining({ code: 'Usage', message: expect.stringMatching(message) });
    const ask = (...variables: string[]) =>
      selectConnections(
        {
          providers: ['github'],
          connections: {},
          further: variables.map((variable, index) => ({
            provider: 'github',
            connection: index === 0 ? 'work' : 'default',
            variable,
          })),
        },
        stored,
        requireProvider,
      );
    expect(() => ask('A_TOKEN', 'A_TOKEN')).toThrow(usage(/A_TOKEN is named for two connections/));
    for (const variable of [
      'PATH',
      'GIT_SSH_COMMAND',
      'NODE_AUTH_TOKEN',
      'EDITOR',
      'AUTHSOME_TOKEN',
      'a b',
      'NICE',
    ])
      expect(() => ask(variable)).toThrow(usage(/cannot hold the phantom of github\/work: it must/));
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
    // What holds the phantom of the earlier default goes on with that.
    expect(now({ providers: [], connections: {} }, changed)).toEqual([
      'github/default',
      'github/work',
      'openai/default',
    ]);
    const [first, ...others] = reselectConnections({ providers: [], connections: {} }, had, changed);
    expect(first).toMatchObject({ provider: 'github', connection: 'work' });
    expect(first).not.toHaveProperty('isFurther');
    expect(others).toContainEqual(expect.objectContaining({ connection: 'default', isFurther: true }));
    const back = [changed[0], changed[1], changed[2]].map((each) => ({
      ...(each as ConnectionSummary),
      isDefault: each?.name === 'default',
    }));
    const again = reselectConnections(
      { providers: [], connections: {} },
      [first as Selected, ...others],
      back,
    );
    expect(again.filter(({ isFurther }) => isFurther === true)).toMatchObject([{ connection: 'work' }]);
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
