import { compileGlob, type PathMatcher } from './glob.ts';
import { readingsOf } from './readings.ts';
import type { PolicyRequest, Rule, Verdict } from './rule.ts';

/** A policy made ready to judge many requests. */
export type Policy = (request: PolicyRequest) => Verdict;

interface CompiledRule {
  readonly matches: (request: PolicyRequest) => boolean;
  /** Made once: judging allocates nothing. */
  readonly verdict: Verdict;
}

const noRuleMatched: Verdict = { allowed: true, rule: undefined, reason: 'No rule matches this request.' };

/**
 * A judge for these rules: the first `deny` that matches decides, else the first `allow`, else the request is
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
    for (const rule of ordered) if (rule.matches(request)) return rule.verdict;
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
    verdict: {
      allowed: !isDeny,
      rule: rule.id,
      reason: isDeny ? `The rule ${rule.id} denies it.` : `The rule ${rule.id} allows it.`,
    },
  };
}

function allowed(globs: readonly string[] | undefined): PathMatcher | undefined {
  const matchers = globs?.map(compileGlob);
  return matchers && ((path) => matchers.some((matches) => matches(path)));
}

/** What a service may take for a path that is denied is denied, however it is spelt. */
function denied(globs: readonly string[] | undefined): PathMatcher | undefined {
  const matchers = globs?.map((glob) => compileGlob(glob.toLowerCase()));
  return matchers && ((path) => readingsOf(path).some((read) => matchers.some((matches) => matches(read))));
}

function setOf(values: readonly string[] | undefined): ReadonlySet<string> | undefined {
  return values === undefined ? undefined : new Set(values);
}
