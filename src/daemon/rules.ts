import { statSync } from 'node:fs';
import { asAuthsomeError, type ErrorCode } from '../errors.ts';
import { compilePolicy, type Policy, parseRules } from '../policy/index.ts';
import { readConfig } from '../settings.ts';

/** The policy of a home, and what is wrong with it. */
export interface HomePolicy {
  readonly policy: Policy;
  readonly ruleCount: number;
  readonly problem: { readonly code: ErrorCode; readonly message: string } | undefined;
}

/** `1 rule`, `2 rules`. */
export function ruleCountText(count: number): string {
  return count === 1 ? '1 rule' : `${count} rules`;
}

/** The rules of a home as its `config.json` has them now. */
export interface LiveRules {
  readonly current: HomePolicy;
  /** Decides by the current rules. */
  readonly policy: Policy;
  /** Called at every change from now on. */
  onChange(listener: (now: HomePolicy) => void): void;
  close(): void;
}

const lookMs = 1_000;

/**
 * The rules in the file at `path`, which is looked at once a second. What cannot be read denies everything, and so does,
 * for one look, a file that has gone and allowed less than everything: editors take one away before they put the next in
 * its place.
 */
export function watchRules(path: string): LiveRules {
  const listeners: ((now: HomePolicy) => void)[] = [];
  let seen: string | undefined;
  let text: string | undefined;
  let current = denied('Unexpected', 'The rules were not read yet.');

  const take = (next: HomePolicy, nextText: string): void => {
    if (nextText === text) return;
    text = nextText;
    current = next;
    for (const listener of listeners) listener(next);
  };
  const look = (): void => {
    const found = stateOf(path);
    if (found === seen) return;
    const wasAway = seen === gone;
    seen = found;
    const mayAllowLess = current.ruleCount > 0 || current.problem !== undefined;
    if (found === absent && text !== undefined && !wasAway && mayAllowLess) {
      seen = gone;
      current = denied('HomeNotUsable', `${path} has gone`);
      text = gone;
      return;
    }
    try {
      const rules = readConfig(path).rules ?? [];
      take(policyIn({ rules }), JSON.stringify(rules));
    } catch (error) {
      const { code, message } = asAuthsomeError(error);
      take(denied(code, message), message);
      // It may be a matter of the moment: the next look tries again, changed or not.
      seen = undefined;
    }
  };
  look();
  const timer = setInterval(look, lookMs).unref();
  return {
    get current() {
      return current;
    },
    policy: (request) => current.policy(request),
    onChange: (listener) => listeners.push(listener),
    close: () => clearInterval(timer),
  };
}

/** The policy that `config.json`'s `rules` describe; one that denies everything when they cannot be read. */
export function policyIn(config: Readonly<Record<string, unknown>>): HomePolicy {
  try {
    const rules = parseRules(config.rules ?? []);
    return { policy: compilePolicy(rules), ruleCount: rules.length, problem: undefined };
  } catch (error) {
    const { code, message } = asAuthsomeError(error);
    return denied(code, message);
  }
}

function denied(code: ErrorCode, message: string): HomePolicy {
  const decision = {
    allowed: false,
    rule: undefined,
    reason: 'The rules in config.json cannot be read, so everything is denied.',
  };
  return { policy: () => decision, ruleCount: 0, problem: { code, message } };
}

const absent = 'absent';
const gone = 'gone';

/** Changes when the file does. */
function stateOf(path: string): string {
  try {
    const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
    if (stats === undefined) return absent;
    const { dev, ino, size, mtimeNs, ctimeNs } = stats;
    return [dev, ino, size, mtimeNs, ctimeNs].join(':');
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}
