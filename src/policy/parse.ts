import { AuthsomeError } from '../errors.ts';
import { jsonPointer } from '../json.ts';
import { closest } from '../suggestion.ts';
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
const known = ['id', 'effect', ...Object.keys(lists)];
/** Where a value is: keys from the array of rules down. */
type Place = readonly (string | number)[];

/**
 * The rules in a parsed JSON document, an array of them. Throws `InvalidDefinition`, whose message names the place of
 * the first fault for people, and whose cause is a RuleFault with its JSON pointer. An unknown field is a fault too: a
 * misspelled one would leave its rule matching more than its author meant.
 */
export function parseRules(json: unknown): readonly Rule[] {
  if (!Array.isArray(json)) throw invalid([], 'must be an array of rules');
  const seen = new Set<string>();
  return json.map((value: unknown, index) => {
    const rule = parseRule(value, [index]);
    if (seen.has(rule.id)) throw invalid([index, 'id'], `repeats the id ${rule.id}`);
    seen.add(rule.id);
    return rule;
  });
}

function parseRule(value: unknown, place: Place): Rule {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid(place, 'must be an object');
  }
  const fields = value as Readonly<Record<string, unknown>>;
  for (const name of Object.keys(fields)) {
    if (known.includes(name)) continue;
    const meant = closest(name, known);
    const suggestion = meant === undefined ? '' : ` (did you mean ${JSON.stringify(meant)}?)`;
    throw invalid(place, `unknown field ${JSON.stringify(name)}${suggestion}`, [name]);
  }
  const { id, effect } = fields;
  if (typeof id !== 'string' || !/^[a-z0-9][a-z0-9._-]{0,63}$/.test(id)) {
    throw invalid([...place, 'id'], 'must be a name of lower-case letters, digits and . _ -');
  }
  if (effect !== 'allow' && effect !== 'deny')
    throw invalid([...place, 'effect'], 'must be "allow" or "deny"');
  const parsed: { -readonly [Name in ListName]?: readonly string[] } = {};
  for (const name of Object.keys(lists) as ListName[]) {
    if (fields[name] !== undefined) parsed[name] = parseList(fields[name], [...place, name], lists[name]);
  }
  return { id, effect, ...parsed };
}

function parseList(value: unknown, place: Place, check: Check): readonly string[] {
  // An empty list would match nothing: leaving the rule out says the same more clearly.
  if (!Array.isArray(value) || value.length === 0) throw invalid(place, 'must be a list that is not empty');
  return value.map((item: unknown, index) => {
    if (typeof item !== 'string') throw invalid([...place, index], 'must be a string');
    const fault = check(item);
    if (fault !== undefined) throw invalid([...place, index], fault);
    return item;
  });
}

/** The fault of a rule, for programs: where it is as a JSON pointer (RFC 6901) into the array of rules. */
export class RuleFault extends Error {
  override readonly name = 'RuleFault';
  readonly pointer: string;

  constructor(pointer: string, sentence: string) {
    super(sentence);
    this.pointer = pointer;
  }
}

/** `below`: the keys that lead from `place` to the fault, where the sentence names them itself. */
function invalid(place: Place, sentence: string, below: Place = []): AuthsomeError {
  return new AuthsomeError('InvalidDefinition', `${placeName(place)}: ${sentence}`, {
    hint: 'Every request is refused until you fix it.',
    cause: new RuleFault(jsonPointer([...place, ...below]), sentence),
  });
}

/** As people write it: `rules[0].methods[1]`. */
function placeName(place: Place): string {
  return `rules${place.map((key) => (typeof key === 'number' ? `[${key}]` : `.${key}`)).join('')}`;
}
