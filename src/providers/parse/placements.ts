import type { Placement } from '../provider.ts';
import { isReservedHeader } from '../reserved-headers.ts';
import type { Fields } from './fields.ts';

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** `kind` with its own fields, as the entries of `inject[].placements` have them. */
export function parsePlacement(fields: Fields): Placement {
  const kind =
    fields.oneOf('kind', ['header', 'basic', 'query']) ??
    fields.fault('kind', 'must be header, basic or query');
  if (kind === 'query')
    return { kind, name: parseQueryName(fields, 'name') ?? fields.fault('name', 'must name the parameter') };
  if (kind === 'header') {
    const name = parseHeaderName(fields, 'name') ?? fields.fault('name', 'must name the header');
    return { kind, name, prefix: parseHeaderPrefix(fields, 'prefix', name) };
  }
  const username = fields.possiblyEmptyText('username', {
    pattern: /^[\x20-\x39\x3b-\x7e]*$/,
    sentence: 'must be printable ASCII without a colon',
  });
  const secretAs = fields.oneOf('secret_as', ['password', 'username', 'pair']) ?? 'password';
  return { kind, username: username ?? '', secretAs };
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
    pattern: /^[\x21-\x7e][\x20-\x7e]*$|^$/,
    sentence: 'must be printable ASCII and not begin with a space',
  });
  if (prefix === undefined) return header.toLowerCase() === 'authorization' ? 'Bearer ' : '';
  return /[A-Za-z0-9]$/.test(prefix) ? `${prefix} ` : prefix;
}

export function parseQueryName(fields: Fields, key: string): string | undefined {
  return fields.text(key, {
    pattern: /^[A-Za-z0-9._~-]+$/,
    sentence: 'must be a parameter name of letters, digits, dots, underscores, tildes and hyphens',
  });
}
