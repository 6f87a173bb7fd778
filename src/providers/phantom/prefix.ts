/** A way that services begin their keys. */
interface KnownPrefix {
  readonly pattern: RegExp;
  /** Whether the dots, dashes and underscores after it are at the same places in every key. */
  readonly hasParts: boolean;
}

/** Documented prefixes. Every key with one of these is equally long, or nearly so, and that is public, too. */
const known: readonly KnownPrefix[] = [
  { pattern: /^github_pat_/, hasParts: true },
  { pattern: /^gh[pousr]_/, hasParts: false },
  { pattern: /^(?:glpat|glptt|gldt|glrt)-/, hasParts: false },
  { pattern: /^npm_/, hasParts: false },
  { pattern: /^sk-ant-(?:api|oat|ort|sid|admin)[0-9]{2}-/, hasParts: false },
  { pattern: /^sk-(?:proj|svcacct|admin|None)-/, hasParts: false },
  { pattern: /^sk-or-v[0-9]-/, hasParts: false },
  { pattern: /^(?:xoxe\.)?xox[abceprs]-(?:[0-9]-)?/, hasParts: true },
  { pattern: /^xapp-[0-9]-/, hasParts: true },
  { pattern: /^(?:sk|rk)_(?:org_)?(?:live|test)_/, hasParts: false },
  { pattern: /^ya29\./, hasParts: false },
  { pattern: /^1\/\/0/, hasParts: false },
  { pattern: /^AIza/, hasParts: false },
  { pattern: /^GOCSPX-/, hasParts: false },
  { pattern: /^(?:AKIA|ASIA)(?=[A-Z0-9]{16}$)/, hasParts: false },
  { pattern: /^SG\./, hasParts: true },
  { pattern: /^pypi-AgEIcHlwaS5vcmc/, hasParts: false },
];

const longestPrefix = 16;
const shortestBody = 20;
const fewestChanges = 3;
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export interface Prefix {
  readonly text: string;
  readonly isKnown: boolean;
  readonly hasParts: boolean;
}

/**
 * What a key begins with before anything of it is secret: a documented prefix, or else groups of letters that end in `_` or
 * `-`. The latter only before what nobody would choose as a password.
 */
export function publicPrefix(secret: string): Prefix {
  for (const { pattern, hasParts } of known) {
    const text = pattern.exec(secret)?.[0];
    if (text !== undefined && text.length < secret.length) return { text, isKnown: true, hasParts };
  }
  const groups = /^(?:(?:[a-z]{1,10}|[A-Z]{1,10})[0-9]{0,2}[_-]){1,3}/.exec(secret)?.[0] ?? '';
  const body = secret.slice(groups.length);
  const hasParts = uuid.test(body);
  const isPrefix = groups.length <= longestPrefix && (hasParts || isRandomLooking(body));
  return { text: isPrefix ? groups : '', isKnown: false, hasParts };
}

function isRandomLooking(body: string): boolean {
  if (!new RegExp(`^[\\w.~+/=-]{${shortestBody},}$`).test(body)) return false;
  const changes = body.match(/[A-Za-z](?=[0-9])|[0-9](?=[A-Za-z])/g)?.length ?? 0;
  return changes >= fewestChanges;
}
