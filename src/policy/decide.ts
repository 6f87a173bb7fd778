import { compileGlob, type PathMatcher } from './glob.ts';
import { readingsOf } from './readings.ts';
import type { PolicyDecision, PolicyRequest, Rule } from './rule.ts';

/** A policy made ready to decide on many requests. */
export type Policy = (request: PolicyRequest) => PolicyDecision;

interface CompiledRule {
  readonly matches: (request: PolicyRequest) => boolean;
  /** Made once: deciding allocates nothing. */
  readonly decision: PolicyDecision;
}

const noRuleMatched: PolicyDecision = {
  allowed: true,
  rule: undefined,
  reason: 'No rule denies this request.',
};

/**
 * The policy of these rules: the first `deny` that matches decides, else the first `allow`, else the request is
 * allowed. Throws TypeError for two rules of one id, which `explain` could not tell apart.
 */
export function compilePolicy(rules: readonly Rule[]): Policy {
  if (new Set(rules.map((rule) => rule.id)).size !== rules.length) {
    throw new TypeError('rule ids must be unique');
  }
  if (rules.length === 0) return () => noRuleMatched;
  const ordered = [
    ...rules.filter((rule) => rule.effect === 'deny'),
    ...rules.filter((rule) => rule.effect === 'allow'),
  ].map(compileRule);
  return (request) => {
    for (const rule of ordered) if (rule.matches(request)) return rule.decision;
    return noRuleMatched;
  };
}

function compileRule(rule: Rule): CompiledRule {
  const identities = setOf(rule.identities);
  const providers = setOf(rule.providers);
  const connections = setOf(rule.connections);
  const methods = setOf(rule.methods);
  const isDeny = rule.effect === 'deny';
  const covers = isDeny ? denied(rule.paths) : allowed(rule.paths);
  return {
    matches: (request) =>
      (identities === undefined || identities.has(request.identity)) &&
      (providers === undefined || providers.has(request.provider)) &&
      (connections === undefined || connections.has(request.connection)) &&
      (methods === undefined || methods.has(request.method)) &&
      (covers === undefined || covers(request.path)),
    decision: {
      allowed: !isDeny,
      rule: rule.id,
      reason: `${isDeny ? 'Denied' : 'Allowed'} by your rule "${rule.id}" (config.json).`,
    },
  };
}

function allowed(globs: readonly string[] | undefined): PathMatcher | undefined {
  const matchers = globs?.map(compileGlob);
  return matchers && ((path) => matchers.some((matches) => matches(path)));
}

/** Whatever a service may read as a denied path is denied too, however it is spelled. */
function denied(globs: readonly string[] | undefined): PathMatcher | undefined {
  const matchers = globs?.map((glob) => compileGlob(glob.toLowerCase()));
  return matchers && ((path) => readingsOf(path).some((read) => matchers.some((matches) => matches(read))));
}

function setOf(values: readonly string[] | undefined): ReadonlySet<string> | undefined {
  return values === undefined ? undefined : new Set(values);
}
