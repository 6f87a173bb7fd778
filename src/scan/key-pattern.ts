/** How the keys of one provider are recognized. */
export interface KeyPattern {
  readonly provider: string;
  readonly displayName: string;
  /** Variables that its definition names. */
  readonly variables: readonly string[];
  readonly pattern: RegExp | undefined;
  /** Hosts that its keys are sent to, as its definition spells them. */
  readonly hosts: readonly string[];
  /** Whether a key can become a connection; otherwise a sign-in is the only way. */
  readonly takesKey: boolean;
  /** Where its keys are sent, for a definition that did not come with authsome: only a person may say that they are its. */
  readonly strangersHosts?: readonly string[] | undefined;
}

export interface Ownership {
  readonly owner: KeyPattern;
  /** Other providers whose keys look the same. */
  readonly alternatives: readonly KeyPattern[];
}

/** Positions at which a pattern must be strict to tell its keys from other text, whatever the variable's name. */
const distinctive = 3;
const unmistakable = 4;
const longestMatched = 512;

/**
 * The provider of a secret: the one whose definition names the variable, unless the value is plainly another one's. For a
 * name in no definition, the one whose distinctive `key_pattern` matches. `undefined` for anything else. A definition that
 * did not come with authsome takes no key from one that did, however exactly its pattern matches: both are named then.
 */
export function ownerOf(name: string, value: string, patterns: readonly KeyPattern[]): Ownership | undefined {
  if (isPlaceholder(value)) return undefined;
  const ownership = bestOwner(name, value, patterns);
  if (ownership?.owner.strangersHosts === undefined) return ownership;
  const bundled = patterns.filter(({ strangersHosts }) => strangersHosts === undefined);
  const other = bestOwner(name, value, bundled);
  const isNamed = ({ variables }: KeyPattern) => variables.includes(name);
  if (other === undefined || (isNamed(ownership.owner) && !bundled.some(isNamed))) return ownership;
  return { owner: other.owner, alternatives: [...other.alternatives, ownership.owner] };
}

function bestOwner(name: string, value: string, patterns: readonly KeyPattern[]): Ownership | undefined {
  const candidates = candidatesOf(value, patterns);
  const best = candidates[0];
  const named = patterns.filter(({ variables }) => variables.includes(name));
  const own = candidates.find(({ owner }) => named.includes(owner))?.owner ?? named[0];
  if (own !== undefined) {
    const strictness = candidates.find(({ owner }) => owner === own)?.strictness ?? 0;
    const isForeign = own.pattern !== undefined && best !== undefined && best.strictness > strictness;
    if (isForeign && isDistinct(best.strictness, value)) return { owner: best.owner, alternatives: [] };
    return { owner: own, alternatives: [] };
  }
  const hinted = candidates.filter(({ owner }) => isNameOf(owner, name));
  if (best === undefined || isPublic(value)) return undefined;
  const tied = candidates.filter(({ strictness }) => strictness === best.strictness);
  if (isDistinct(best.strictness, value)) {
    const preferred = tied.filter((match) => hinted.includes(match));
    const [first, ...alternatives] = preferred.length > 0 ? preferred : tied;
    return first === undefined
      ? undefined
      : { owner: first.owner, alternatives: alternatives.map(({ owner }) => owner) };
  }
  const [first, ...alternatives] = hinted;
  if (first === undefined || !/KEY|TOKEN|SECRET|AUTH|PASS/i.test(name) || !looksRandom(value))
    return undefined;
  return { owner: first.owner, alternatives: alternatives.map(({ owner }) => owner) };
}

/**
 * The provider of a secret that its file sends to `host`: of those whose definitions name that host, never another one. What
 * goes elsewhere is no use to a provider, and its phantom would be no use there.
 */
export function ownerByHost(
  host: string,
  value: string,
  patterns: readonly KeyPattern[],
): Ownership | undefined {
  if (isPlaceholder(value)) return undefined;
  const claimants = patterns.filter(({ hosts }) => hosts.some((pattern) => isHostOf(pattern, host)));
  const bundled = claimants.filter(({ strangersHosts }) => strangersHosts === undefined);
  const trusted = bundled.length > 0 ? bundled : claimants;
  const fitting = candidatesOf(value, trusted).map(({ owner }) => owner);
  const named = trusted.filter(({ pattern }) => pattern === undefined);
  const [owner, ...alternatives] = fitting.length > 0 ? fitting : named;
  return owner === undefined ? undefined : { owner, alternatives };
}

/** `https://api.example.com/v1`, `api.example.com` and `*.example.com` name `api.example.com`. */
function isHostOf(pattern: string, host: string): boolean {
  const name = /^(?:https:\/\/)?((?:\*\.)?[a-z0-9.-]+)(?:[:/].*)?$/i.exec(pattern)?.[1]?.toLowerCase();
  if (name?.startsWith('*.') === true) return host.endsWith(name.slice(1));
  return name === host;
}

/** Whether it is a phantom: every one that has room for the word contains it. */
export function isPhantom(value: string): boolean {
  return /phantom/i.test(value);
}

/** Whether it could be a secret at all: one word of printable ASCII, not longer than any key. */
export function isKeyLike(value: string): boolean {
  return /^[\x21-\x7e]{1,8192}$/.test(value);
}

interface Candidate {
  readonly owner: KeyPattern;
  readonly strictness: number;
}

/** The strictest first; of equals the one that knows more kinds of key. */
function candidatesOf(value: string, patterns: readonly KeyPattern[]): readonly Candidate[] {
  if (value.length > longestMatched) return [];
  return patterns
    .flatMap((owner) => {
      const { pattern } = owner;
      if (pattern === undefined || !pattern.test(value)) return [];
      return [{ owner, strictness: strictnessOf(pattern, value), breadth: pattern.source.length }];
    })
    .sort((left, right) => right.strictness - left.strictness || right.breadth - left.breadth);
}

/** How many characters of `value` the pattern takes in no other form: the `sk-ant-` of a key, not its random part. */
function strictnessOf(pattern: RegExp, value: string): number {
  return Array.from(value).filter((char, at) =>
    ['x', 'Q', '7'].every(
      (other) => other === char || !pattern.test(value.slice(0, at) + other + value.slice(at + 1)),
    ),
  ).length;
}

function isDistinct(strictness: number, value: string): boolean {
  return strictness >= unmistakable || (strictness >= distinctive && looksRandom(value));
}

/** Words of a language, such as `sk-learn-model-of-the-day`, have no digits and one case. */
function looksRandom(value: string): boolean {
  return /[0-9]/.test(value) || (/[a-z]/.test(value) && /[A-Z]/.test(value));
}

/** Keys that are made to be published, which several services begin alike. */
function isPublic(value: string): boolean {
  return /^pk_(?:live|test)_/.test(value);
}

/** `MY_OPENAI_KEY` names `openai`. */
function isNameOf({ provider }: KeyPattern, name: string): boolean {
  const flat = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]+/g, '_');
  return `_${flat(name)}_`.includes(`_${flat(provider)}_`);
}

const placeholderWords = new Set(
  'changeme dummy example fixme insert placeholder redacted replace replaceme sample todo xxx'.split(' '),
);

/** What people write where a key belongs: `<your key>`, `your-api-key`, `xxxx`, `sk-...`, `ghp_xxxxxxxx`. */
export function isPlaceholder(value: string): boolean {
  if (/^(?:<.*>|\{\{.*\}\}|\[.*\]|%.*%|[xX*._-]+)$/.test(value)) return true;
  if (/\.{3}|\*{3}|EXAMPLE(?:KEY)?$/.test(value)) return true;
  if (
    /^(?:your|my|insert|replace|change|enter|paste|put|add|todo|none|null|true|false)[-_a-z]*$/i.test(value)
  ) {
    return true;
  }
  const words = value
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');
  const last = words.at(-1) ?? '';
  const isSample = words.some((word) => placeholderWords.has(word) || /^your[a-z]*$/.test(word));
  return isSample || (last === 'here' && words.length > 1) || isFiller(words);
}

/** One character over and over, after a prefix. */
function isFiller(words: readonly string[]): boolean {
  const isRepeated = (word: string): boolean => /^(.)\1{2,}$/.test(word);
  return isRepeated(words.at(-1) ?? '') && words.every((word) => word.length < 12 || isRepeated(word));
}
