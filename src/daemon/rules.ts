import { asAuthsomeError } from '../errors.ts';
import { compilePolicy, type Policy, parseRules } from '../policy/index.ts';

/** The policy of a home, and what is wrong with it. */
export interface HomePolicy {
  readonly policy: Policy;
  readonly ruleCount: number;
  readonly problem: string | undefined;
}

/** The policy that `config.json`'s `rules` describe; one that denies everything when they cannot be read. */
export function policyIn(config: Readonly<Record<string, unknown>>): HomePolicy {
  try {
    const rules = parseRules(config.rules ?? []);
    return { policy: compilePolicy(rules), ruleCount: rules.length, problem: undefined };
  } catch (error) {
    const problem = asAuthsomeError(error).message;
    const verdict = {
      allowed: false,
      rule: undefined,
      reason: 'The rules in config.json cannot be read, so everything is denied.',
    };
    return { policy: () => verdict, ruleCount: 0, problem };
  }
}
