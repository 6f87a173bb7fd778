import { statSync } from 'node:fs';
import { asAuthsomeError, type ErrorCode } from '../errors.ts';
import { compilePolicy, type Policy, parseRules } from '../policy/index.ts';
import { readConfig } from '../settings.ts';

/** The policy of a home, and why its rules cannot be read. */
export interface HomePolicy {
  readonly policy: Policy;
  readonly ruleCount: number;
  readonly problem: { readonly code: ErrorCode; readonly message: string } | undefined;
}

/** `1 rule`, `2 rules`. */
export function ruleCountText(count: number): string {
  return count === 1 ? '1 rule' : `${count} rules`;
}

/** The current rules of a home's `config.json`. */
export interface LiveRules {
  readonly current: HomePolicy;
  /** Decides by the current rules. */
  readonly policy: Policy;
  /** Called at every change from now on. */
  onChange(listener: (now: HomePolicy) => void): void;
  close(): void;
}

const checkMs = 1_000;

/**
 * The rules in the file at `path`, checked once a second. A file that cannot be read denies everything. So does, for one
 * check, a file that was deleted and did not allow everything: editors delete a file before they write the next.
 */
export function watchRules(path: string): LiveRules {
  const listeners: ((now: HomePolicy) => void)[] = [];
  let seen: string | undefined;
  let text: string | undefined;
  let current = denied('Unexpected', 'The rules have not been read yet.');

  const take = (next: HomePolicy, nextText: string): void => {
    if (nextText === text) return;
    text = nextText;
    current = next;
    for (const listener of listeners) listener(next);
  };
  const check = (): void => {
    const found = stateOf(path);
    if (found === seen) return;
    const wasDeleted = seen === deleted;
    seen = found;
    const mayAllowLess = current.ruleCount > 0 || current.problem !== undefined;
    if (found === absent && text !== undefined && !wasDeleted && mayAllowLess) {
      seen = deleted;
      current = denied('HomeNotUsable', `${path} was deleted`);
      text = deleted;
      return;
    }
    try {
      const rules = readConfig(path).rules ?? [];
      take(policyIn({ rules }), JSON.stringify(rules));
    } catch (error) {
      const { code, message } = asAuthsomeError(error);
      take(denied(code, message), message);
      // May be transient: the next check reads the file again, changed or not.
      seen = undefined;
    }
  };
  check();
  const timer = setInterval(check, checkMs).unref();
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
const deleted = 'deleted';

/** A text that changes when the file does. */
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
