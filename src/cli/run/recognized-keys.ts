import { readFileSync } from 'node:fs';
import type { KeyPatternDocument } from '../../client/index.ts';

/** How the keys of one provider are recognized, whatever the variable's name. */
export interface RecognizableKeys {
  readonly provider: string;
  readonly pattern: RegExp;
  /** Variables that its definition names. */
  readonly variables: readonly string[];
}

const longestKey = 512;
/** With a shorter fixed beginning, a pattern matches ordinary text. */
const shortestLead = 3;
const distinctLead = 5;

/** Those of the definitions that came with this program, from the file that its build wrote, and those of the daemon. */
export function recognizableKeys(
  bundledFile: string,
  personal: readonly KeyPatternDocument[],
): readonly RecognizableKeys[] {
  const bundled = JSON.parse(readFileSync(bundledFile, 'utf8')) as readonly {
    readonly name: string;
    readonly key_pattern: string | null;
    readonly variables: readonly string[];
  }[];
  const named = bundled.map(({ name, key_pattern: pattern, variables }) => ({
    provider: name,
    pattern,
    variables,
  }));
  return [...named, ...personal.map((each) => ({ ...each, variables: [] }))].flatMap(
    ({ provider, pattern, variables }) => {
      const compiled = pattern === null ? undefined : compile(pattern);
      return compiled === undefined ? [] : [{ provider, pattern: compiled, variables }];
    },
  );
}

/**
 * The provider whose key this value is, by a pattern with a fixed beginning of at least 3 characters: the one that fixes most
 * of it, then one that names the variable, then one that `isPreferred`.
 */
export function ownerOfKey(
  name: string,
  value: string,
  keys: readonly RecognizableKeys[],
  isPreferred: (provider: string) => boolean,
): string | undefined {
  // What is made to be published, and what stands for a key already.
  if (value.length > longestKey || /^pk_(?:live|test)_|phantom/i.test(value)) return undefined;
  const candidates = keys
    .filter(({ pattern }) => pattern.test(value))
    .map((key) => ({ ...key, lead: leadOf(key.pattern, value) }))
    .filter(({ lead }) => lead >= (looksRandom(value) ? shortestLead : distinctLead));
  const longest = Math.max(...candidates.map(({ lead }) => lead));
  const best = candidates.filter(({ lead }) => lead === longest);
  const found =
    best.find(({ variables }) => variables.includes(name)) ??
    best.find(({ provider }) => isPreferred(provider)) ??
    best[0];
  return found?.provider;
}

/** How many characters at its beginning the pattern takes in no other form. */
function leadOf(pattern: RegExp, value: string): number {
  for (let at = 0; at < value.length; at += 1) {
    const isFixed = ['x', 'Q', '7', '-'].every(
      (other) => other === value[at] || !pattern.test(value.slice(0, at) + other + value.slice(at + 1)),
    );
    if (!isFixed) return at;
  }
  return value.length;
}

function looksRandom(value: string): boolean {
  return /[0-9]/.test(value) || (/[a-z]/.test(value) && /[A-Z]/.test(value));
}

function compile(source: string): RegExp | undefined {
  try {
    return new RegExp(source.startsWith('^') ? source : `^(?:${source})$`);
  } catch {
    return undefined;
  }
}
