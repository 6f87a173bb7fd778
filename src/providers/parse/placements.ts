import type { Placement } from '../placement.ts';
import { foldHeaderName, isReservedHeader } from '../reserved-headers.ts';
import type { Fields, TextForm } from './fields.ts';

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}$/;

/** Lists of places, and places in one of them: services have a few, and a person reads them all. */
export const mostPlaces = 8;

/** Places that are used together, each of them once. */
export function parsePlacements(list: readonly Fields[]): readonly Placement[] {
  const seen = new Set<string>();
  return list.map((fields) => {
    const placement = parsePlacement(fields);
    const place = placeOf(placement);
    if (seen.has(place)) fields.fault('kind', 'must not use a place twice in one list; see any_of');
    seen.add(place);
    return placement;
  });
}

function placeOf(placement: Placement): string {
  switch (placement.kind) {
    case 'header':
      return `header ${foldHeaderName(placement.name)}`;
    case 'basic':
      return 'header authorization';
    default:
      return JSON.stringify(placement, (key, value: unknown) => (key === 'when' ? undefined : value));
  }
}

/** `kind` with its own fields, as the entries of `inject[].placements` have them. */
function parsePlacement(fields: Fields): Placement {
  const kind =
    fields.oneOf('kind', ['header', 'basic', 'query', 'path', 'body', 'websocket']) ??
    fields.fault('kind', 'must be header, basic, query, path, body or websocket');
  const when = fields.oneOf('when', ['always', 'phantom']);
  switch (kind) {
    case 'header': {
      const name = parseHeaderName(fields, 'name') ?? fields.fault('name', 'must name the header');
      return { kind, name, prefix: parseHeaderPrefix(fields, 'prefix', name), ...conditionOf(when) };
    }
    case 'basic':
      return { kind, ...parseBasic(fields), ...conditionOf(when) };
    case 'query': {
      const name = parseQueryName(fields, 'name') ?? fields.fault('name', 'must name the parameter');
      return { kind, name, ...conditionOf(when) };
    }
  }
  if (when === 'always')
    fields.fault('when', `must be phantom: a ${kind} has the credential in no other way`);
  switch (kind) {
    case 'path':
      return { kind, template: parseTemplate(fields) };
    case 'body':
      return parseBody(fields);
    case 'websocket': {
      const pointer = fields.text('pointer', pointerForm);
      return pointer === undefined ? { kind } : { kind, pointer };
    }
  }
}

function conditionOf(when: 'always' | 'phantom' | undefined): { readonly when?: 'phantom' } {
  return when === 'phantom' ? { when } : {};
}

function parseBasic(fields: Fields): Pick<Extract<Placement, { kind: 'basic' }>, 'username' | 'secretAs'> {
  const username = fields.possiblyEmptyText('username', {
    pattern: /^[\x20-\x39\x3b-\x7e]{0,200}$/,
    sentence: 'must be printable ASCII without a colon',
  });
  const secretAs = fields.oneOf('secret_as', ['password', 'username', 'pair']) ?? 'password';
  return { username: username ?? '', secretAs };
}

/** Whole segments of a path, as RFC 3986 §3.3 has them, without escapes: what is compared has one spelling. */
const templateForm: TextForm = {
  pattern:
    /^(?=.{1,300}$)(?:\/[\w.~!$&'()*+,;=:@-]+)*\/[\w.~!$&'()*+,;=:@-]*\{secret\}[\w.~!$&'()*+,;=:@-]*(?:\/[\w.~!$&'()*+,;=:@-]+)*\/?$/,
  sentence:
    'must be an absolute path of at most 300 characters with {secret} in one segment, without escapes',
};

function parseTemplate(fields: Fields): string {
  const template =
    fields.text('template', templateForm) ??
    fields.fault('template', 'must say where in the path the credential goes');
  const isDots = (segment: string) => /^\.{1,2}(?:;|$)/.test(segment);
  if (template.split('/').some(isDots)) fields.fault('template', 'must have no segment of dots');
  return template;
}

/** RFC 6901 §3, without the pointer to the whole document. */
const pointerForm: TextForm = {
  pattern: /^(?=.{1,300}$)(?:\/(?:[^~/\p{Cc}\p{Cf}\p{Surrogate}]|~[01])*)+$/u,
  sentence: 'must be a JSON pointer such as /auth/token, of at most 300 characters',
};

const formFieldForm: TextForm = {
  pattern: /^[^\p{Cc}\p{Cf}\p{Surrogate}]{1,200}$/u,
  sentence: 'must be the name of a form field, of at most 200 characters',
};

function parseBody(fields: Fields): Placement {
  const pointer = fields.text('pointer', pointerForm);
  const field = fields.text('field', formFieldForm);
  if (pointer !== undefined && field !== undefined)
    fields.fault('field', 'must not stand beside pointer: a body is JSON or a form');
  if (pointer !== undefined) return { kind: 'body', pointer };
  return { kind: 'body', field: field ?? fields.fault('field', 'must be there, or pointer') };
}

/** A header that a credential may go into. */
export function parseHeaderName(fields: Fields, key: string): string | undefined {
  const name = fields.text(key, { pattern: token, sentence: 'must be a header name (RFC 9110 token)' });
  if (name !== undefined && isReservedHeader(name)) {
    fields.fault(key, `must not be ${name}: that header frames or addresses the request`);
  }
  return name;
}

/**
 * The complete text before the secret. A scheme's name gets the space after it (`Token` → `Token `), `token=` stays as
 * it is; without one, Authorization takes `Bearer ` and any other header nothing.
 */
export function parseHeaderPrefix(fields: Fields, key: string, header: string): string {
  const prefix = fields.possiblyEmptyText(key, {
    pattern: /^[\x21-\x7e][\x20-\x7e]{0,199}$|^$/,
    sentence: 'must be printable ASCII and not begin with a space',
  });
  if (prefix === undefined) return header.toLowerCase() === 'authorization' ? 'Bearer ' : '';
  return /[A-Za-z0-9]$/.test(prefix) ? `${prefix} ` : prefix;
}

export function parseQueryName(fields: Fields, key: string): string | undefined {
  return fields.text(key, {
    pattern: /^[A-Za-z0-9._~-]{1,200}$/,
    sentence: 'must be a parameter name of letters, digits, dots, underscores, tildes and hyphens',
  });
}
