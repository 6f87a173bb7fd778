import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AuthsomeError } from '../errors.ts';
import { compilePolicy } from './decide.ts';
import { compileGlob } from './glob.ts';
import { parseRules, type RuleFault } from './parse.ts';
import type { PolicyDecision, PolicyRequest, Rule } from './rule.ts';

function decide(request: PolicyRequest, rules: readonly Rule[]): PolicyDecision {
  return compilePolicy(rules)(request);
}

const request: PolicyRequest = {
  identity: 'ada@laptop',
  provider: 'github',
  connection: 'work',
  method: 'GET',
  host: 'api.github.com',
  path: '/repos/ada/notes',
};

/** Few values each, so that rules and requests meet often. */
const word = fc.constantFrom('a', 'b', 'c');
const method = fc.constantFrom('GET', 'POST');
const path = fc
  .array(fc.constantFrom('/', 'a', 'b', '/a'), { maxLength: 8 })
  .map((parts) => `/${parts.join('')}`);
const glob = fc
  .array(fc.constantFrom('/', 'a', 'b', '*', '**', '/**', '/*'), { maxLength: 8 })
  .map((parts) => `/${parts.join('')}`);
const requests: fc.Arbitrary<PolicyRequest> = fc.record({
  identity: word,
  provider: word,
  connection: word,
  method,
  host: fc.constant('example.com'),
  path,
});
const some = <T>(item: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(item, { minLength: 1, maxLength: 2 });
const rules: fc.Arbitrary<Rule[]> = fc.uniqueArray(
  fc.record(
    {
      id: fc.stringMatching(/^[a-z]{1,4}$/),
      effect: fc.constantFrom('allow' as const, 'deny' as const),
      identities: some(word),
      providers: some(word),
      connections: some(word),
      methods: some(method),
      paths: some(glob),
    },
    { requiredKeys: ['id', 'effect'] },
  ),
  { selector: (rule) => rule.id, maxLength: 6 },
);

describe('a decision', () => {
  it('allows what no rule matches', () => {
    expect(decide(request, [])).toMatchObject({ allowed: true, rule: undefined });
    const other: Rule = { id: 'x', effect: 'deny', providers: ['gitlab'] };
    expect(decide(request, [other])).toMatchObject({ allowed: true, rule: undefined });
  });

  it('denies what any deny matches, wherever it stands, and names it', () => {
    const allow: Rule = { id: 'all', effect: 'allow' };
    const deny: Rule = { id: 'no-notes', effect: 'deny', paths: ['/repos/*/notes'] };
    for (const order of [
      [allow, deny],
      [deny, allow],
    ]) {
      const decision = decide(request, order);
      expect(decision).toMatchObject({ allowed: false, rule: 'no-notes' });
      expect(decision.reason).toContain('no-notes');
    }
  });

  it.each([
    ['identities', 'eve'],
    ['providers', 'gitlab'],
    ['connections', 'home'],
    ['methods', 'DELETE'],
    ['paths', '/user'],
  ] as const)('needs every field of a rule to match: %s', (field, other) => {
    const rule: Rule = {
      id: 'r',
      effect: 'deny',
      identities: ['ada@laptop'],
      providers: ['github'],
      connections: ['work'],
      methods: ['GET'],
      paths: ['/repos/**'],
    };
    expect(decide(request, [rule]).allowed).toBe(false);
    expect(decide(request, [{ ...rule, [field]: [other] }]).allowed).toBe(true);
  });

  it('does not depend on the order of the rules', () => {
    fc.assert(
      fc.property(requests, rules, (asked, list) => {
        expect(decide(asked, list).allowed).toBe(decide(asked, list.toReversed()).allowed);
      }),
    );
  });

  it('never becomes allowed by one deny more', () => {
    fc.assert(
      fc.property(requests, rules, rules, (asked, list, more) => {
        const denies = more
          .filter((rule) => rule.effect === 'deny')
          .map((rule) => ({ ...rule, id: `more-${rule.id}` }));
        if (!decide(asked, list).allowed) expect(decide(asked, [...list, ...denies]).allowed).toBe(false);
      }),
    );
  });

  it('names a rule of that effect, or none and allows', () => {
    fc.assert(
      fc.property(requests, rules, (asked, list) => {
        const decision = compilePolicy(list)(asked);
        const rule = list.find(({ id }) => id === decision.rule);
        expect(rule?.effect ?? 'allow').toBe(decision.allowed ? 'allow' : 'deny');
      }),
    );
  });

  it('cannot be asked of two rules with one id', () => {
    const rule: Rule = { id: 'r', effect: 'allow' };
    expect(() => compilePolicy([rule, rule])).toThrow(TypeError);
  });
});

describe('a path that is denied', () => {
  const rules: Rule[] = [{ id: 'r', effect: 'deny', paths: ['/repos/ada/notes', '/admin/**', '/q%2Fa'] }];
  const isAllowed = (path: string): boolean => decide({ ...request, path }, rules).allowed;

  it.each([
    ['in other letters, as GitHub and IIS take them', '/Repos/ADA/notes'],
    ['in other letters below a folder', '/ADMIN/x'],
    ['with a slash at the end', '/repos/ada/notes/'],
    ['with slashes at the end', '/repos/ada/notes//'],
    ['with parameters at the end, as Tomcat takes them', '/repos/ada/notes;v=1'],
    ['with parameters in the middle', '/repos;a/ada/notes'],
    ['with parameters on the folder', '/admin;jsessionid=1/x'],
    ['with encoded parameters', '/admin%3Ba/x'],
    ['with parameters and a slash at the end', '/repos/ada/notes;v=1/'],
    ['with a letter encoded twice', '/%2561dmin/x'],
    ['with a dot at the end, as Windows takes it', '/repos/ada/notes.'],
    ['with spaces and dots after the folder', '/admin%20.%20/x'],
    ['with a dot before parameters and a slash', '/repos/ada/notes.;v=1/'],
    ['with a letter encoded three times', '/%252541dmin/x'],
    ['with a separator encoded in small letters', '/q%2fa'],
  ])('is denied %s: %s', (_, path) => expect(isAllowed(path)).toBe(false));

  it.each([
    '/',
    '/admin',
    '/administrators/x',
    '/repos/ada/notes/7',
    '/repos/ada',
    '/;admin/x',
    '/%2525',
    '/q/a',
  ])('does not spread to %s', (path) => expect(isAllowed(path)).toBe(true));

  it('still takes in what it says letter for letter', () => {
    fc.assert(
      fc.property(path, glob, (subject, pattern) => {
        fc.pre(compileGlob(pattern)(subject));
        const rule: Rule = { id: 'r', effect: 'deny', paths: [pattern] };
        expect(decide({ ...request, path: subject }, [rule]).allowed).toBe(false);
      }),
    );
  });

  it('leaves an allow to the letter', () => {
    const rule: Rule = { id: 'r', effect: 'allow', paths: ['/user'] };
    expect(decide({ ...request, path: '/USER' }, [rule]).rule).toBeUndefined();
    expect(decide({ ...request, path: '/user' }, [rule]).rule).toBe('r');
  });
});

describe('a glob', () => {
  it.each([
    ['/v1/*', '/v1/users', true],
    ['/v1/*', '/v1/', true],
    ['/v1/*', '/v1/users/7', false],
    ['/v1/**', '/v1/users/7', true],
    ['/v1/**', '/v1', false],
    ['/v1/**', '/v10', false],
    ['**', '/anything/at/all', true],
    ['/a/**/z', '/a/b/c/z', true],
    ['/a/**/z', '/a/z', false],
    ['/*.json', '/x.json', true],
    ['/a.b', '/aXb', false],
    ['/repos/*/issues/*', '/repos/ada/issues/7', true],
    ['/repos/*/issues/*', '/repos/ada/notes/issues/7', false],
    ['/user', '/User', false],
  ])('%s on %s: %s', (pattern, subject, expected) => {
    expect(compileGlob(pattern)(subject)).toBe(expected);
  });

  it('matches as the regular expression of the same meaning does', () => {
    fc.assert(
      fc.property(glob, path, (pattern, subject) => {
        const source = pattern.replaceAll('**', '\0').replaceAll('*', '[^/]*').replaceAll('\0', '.*');
        expect(compileGlob(pattern)(subject)).toBe(new RegExp(`^${source}$`).test(subject));
      }),
      { numRuns: 1000 },
    );
  });

  it('does a bounded number of steps on a path made to be slow', () => {
    const matches = compileGlob(`/${'**a'.repeat(20)}b`);
    expect(matches(`/${'a'.repeat(5000)}`)).toBe(false);
  });
});

describe('a policy document', () => {
  it('is read as it is written', () => {
    fc.assert(
      fc.property(rules, (list) => {
        expect(parseRules(JSON.parse(JSON.stringify(list)))).toEqual(list);
      }),
    );
  });

  it.each([
    [{}, 'rules: must be an array', ''],
    [null, 'rules: must be an array', ''],
    [[1], 'rules[0]: must be an object', '/0'],
    [[{ effect: 'deny' }], 'rules[0].id: ', '/0/id'],
    [[{ id: 'A b', effect: 'deny' }], 'rules[0].id: ', '/0/id'],
    [[{ id: 'a', effect: 'refuse' }], 'rules[0].effect: must be "allow" or "deny"', '/0/effect'],
    [
      [{ id: 'a', effect: 'deny', provider: ['x'] }],
      'rules[0]: unknown field "provider" (did you mean "providers"?)',
      '/0/provider',
    ],
    [[{ id: 'a', effect: 'deny', 'x/y~z': 1 }], 'rules[0]: unknown field "x/y~z"', '/0/x~1y~0z'],
    [[{ id: 'a', effect: 'deny', providers: [] }], 'rules[0].providers: must be a list', '/0/providers'],
    [[{ id: 'a', effect: 'deny', providers: 'x' }], 'rules[0].providers: must be a list', '/0/providers'],
    [
      [{ id: 'a', effect: 'deny', providers: ['x', 7] }],
      'rules[0].providers[1]: must be a string',
      '/0/providers/1',
    ],
    [
      [{ id: 'a', effect: 'deny', methods: ['get'] }],
      'rules[0].methods[0]: must be a method',
      '/0/methods/0',
    ],
    [[{ id: 'a', effect: 'deny', paths: ['v1'] }], 'rules[0].paths[0]: must begin with', '/0/paths/0'],
    [[{ id: 'a', effect: 'deny', paths: ['/v1?x'] }], 'rules[0].paths[0]: must be a path', '/0/paths/0'],
    [
      [
        { id: 'a', effect: 'deny' },
        { id: 'a', effect: 'allow' },
      ],
      'rules[1].id: repeats',
      '/1/id',
    ],
  ])('is refused with the place of its fault: %j', (document, fault, pointer) => {
    let message = '';
    let cause: unknown;
    try {
      parseRules(document);
    } catch (error) {
      expect(error).toBeInstanceOf(AuthsomeError);
      ({ message, cause } = error as AuthsomeError);
    }
    expect(message.startsWith(fault)).toBe(true);
    expect((cause as RuleFault).pointer).toBe(pointer);
  });

  it('of any shape is read or refused, never half', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        try {
          compilePolicy(parseRules(value));
        } catch (error) {
          expect(error).toBeInstanceOf(AuthsomeError);
        }
      }),
    );
  });
});
