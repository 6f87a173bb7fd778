import { AuthsomeError } from '../errors.ts';
import { jsonPointer } from '../json.ts';
import type { Rule } from './rule.ts';

type Check = (text: string) => string | undefined;

const anyName: Check = (text) => (text === '' ? 'must not be empty' : undefined);
const method: Check = (text) =>
  /^[A-Z]+$/.test(text) ? undefined : 'must be a method in capital letters, such as GET';
const path: Check = (text) => {
  if (!text.startsWith('/') && !text.startsWith('**')) return 'must begin with / or **';
  if (/[\x00-\x20\x7f?#\\]/.test(text)) return 'must be a path: no spaces, no query, no backslash';
  return undefined;
};
const lists = {
  identities: anyName,
  providers: anyName,
  connections: anyName,
  methods: method,
  paths: path,
} as const satisfies Partial<Record<keyof Rule, Check>>;

type ListName = keyof typeof lists;
const known = new Set(['id', 'effect', ...Object.keys(lists)]);

/**
 * The rules in a parsed JSON document, an array of them. Throws `InvalidDefinition` with the JSON pointer (RFC 6901)
 * of the first fault. A field that is not known is a fault too: a misspelt one would leave its rule matching more
 * than its author meant.
 */
export function parseRules(json: unknown): readonly Rule[] {
  if (!Array.isArray(json)) throw invalid('', 'must be an array of rules');
  const seen = new Set<string>();
  return json.map((value: unknown, index) => {
    const rule = parseRule(value, `/${index}`);
    if (seen.has(rule.id)) throw invalid(`/${index}/id`, `repeats the id ${rule.id}`);
    seen.add(rule.id);
    return rule;
  });
}

function parseRule(value: unknown, pointer: string): Rule {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid(pointer, 'must be an object');
  }
  const fields = value as Readonly<Record<string, unknown>>;
  for (const name of Object.keys(fields)) {
    if (!known.has(name)) throw invalid(pointer + jsonPointer([name]), 'is not a field of a rule');
  }
  const { id, effect } = fields;
  if (typeof id !== 'string' || !/^[a-z0-9][a-z0-9._-]{0,63}$/.test(id)) {
    throw invalid(`${pointer}/id`, 'must be a name of lower-case letters, digits and . _ -');
  }
  if (effect !== 'allow' && effect !== 'deny')
    throw invalid(`${pointer}/effect`, 'must be "allow" or "deny"');
  const parsed: { -readonly [Name in ListName]?: readonly string[] } = {};
  for (const name of Object.keys(lists) as ListName[]) {
    if (fields[name] !== undefined) parsed[name] = parseList(fields[name], `${pointer}/${name}`, lists[name]);
  }
  return { id, effect, ...parsed };
}

function parseList(value: unknown, pointer: string, check: Check): readonly string[] {
  // An empty list would match nothing, which leaving the rule out says better.
  if (!Array.isArray(value) || value.length === 0)
    throw invalid(pointer, 'must be a list with something in it');
  return value.map((item: unknown, index) => {
    if (typeof item !== 'string') throw invalid(`${pointer}/${index}`, 'must be a string');
    const fault = check(item);
    if (fault !== undefined) throw invalid(`${pointer}/${index}`, fault);
    return item;
  });
}

function invalid(pointer: string, fault: string): AuthsomeError {
  const place = pointer === '' ? 'the document' : pointer;
  return new AuthsomeError('InvalidDefinition', `the policy cannot be read: ${place} ${fault}`, {
    hint: 'Until it is mended, every request is refused.',
  });
}
