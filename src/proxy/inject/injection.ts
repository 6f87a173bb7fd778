import type { Placement } from '../../providers/index.ts';

/** One credential, ready to be written on one route's requests. Kept beside the credential, never logged. */
export interface Injection {
  /** Whole field lines with their CRLFs. */
  readonly lines: string;
  /** The same, for protocols that have no lines. */
  readonly fields: readonly { readonly name: string; readonly value: string }[];
  /** Names of the fields that these lines replace: lower case, `_` as `-`. */
  readonly names: readonly string[];
  readonly parameters: readonly { readonly name: string; readonly encoded: string }[];
  /** How it is placed, for the audit: never the value. */
  readonly placement: string;
  /** Answers are looked into, so only codings that can be undone are asked for. */
  readonly scrubbed: boolean;
}

const secretForHeader = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;
const fieldName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const loneSurrogate = /\p{Surrogate}/u;
const prefixForHeader = /^[\x20-\x7e]*$/;

/** Fields that frame, route or hop: a credential can never go there. */
const reserved = new Set([
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'te',
  'trailer',
  'upgrade',
  'expect',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'http2-settings',
]);

/** A field name as servers that take `_` for `-` see it. */
export function foldName(name: string): string {
  return name.toLowerCase().replaceAll('_', '-');
}

function encodeComponent(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/**
 * The injection of this secret in these places, or `undefined` where a place cannot take it: a value that would
 * break out of its field, a name that frames the message, or no place at all.
 */
export function compileInjection(
  placements: readonly Placement[],
  secret: string,
  scrubbed = true,
): Injection | undefined {
  if (placements.length === 0 || secret === '') return undefined;
  let lines = '';
  const fields: { name: string; value: string }[] = [];
  const parameters: { name: string; encoded: string }[] = [];
  const descriptions: string[] = [];
  for (const placement of placements) {
    if (placement.kind === 'query') {
      if (placement.name === '' || loneSurrogate.test(placement.name + secret)) return undefined;
      const name = placement.name;
      parameters.push({ name, encoded: `${encodeComponent(name)}=${encodeComponent(secret)}` });
      descriptions.push(`query ${name}`);
      continue;
    }
    const field = placement.kind === 'basic' ? basicField(placement, secret) : headerField(placement, secret);
    if (field === undefined) return undefined;
    lines += `${field.name}: ${field.value}\r\n`;
    fields.push(field);
    descriptions.push(
      placement.kind === 'basic' ? 'basic authorization' : `header ${field.name.toLowerCase()}`,
    );
  }
  const names = fields.map((field) => foldName(field.name));
  return { lines, fields, names, parameters, placement: descriptions.join(', '), scrubbed };
}

function headerField(
  placement: Extract<Placement, { kind: 'header' }>,
  secret: string,
): { name: string; value: string } | undefined {
  const { name, prefix } = placement;
  if (!fieldName.test(name) || reserved.has(foldName(name))) return undefined;
  if (!prefixForHeader.test(prefix) || !secretForHeader.test(secret)) return undefined;
  return { name, value: `${prefix}${secret}`.trimStart() };
}

/** RFC 7617 §2: the user name holds no colon, neither part a control character. */
function basicField(
  placement: Extract<Placement, { kind: 'basic' }>,
  secret: string,
): { name: string; value: string } | undefined {
  const [user, password] = basicParts(placement, secret);
  if (password === undefined) return undefined;
  if (user.includes(':') || /[\x00-\x1f\x7f]/.test(user + password)) return undefined;
  return { name: 'Authorization', value: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` };
}

/** User name and password that a secret makes; no password where a pair has no colon. */
export function basicParts(
  placement: Extract<Placement, { kind: 'basic' }>,
  secret: string,
): readonly [string, string | undefined] {
  switch (placement.secretAs) {
    case 'username':
      return [secret, ''];
    case 'password':
      return [placement.username, secret];
    case 'pair': {
      const colon = secret.indexOf(':');
      return colon === -1 ? [secret, undefined] : [secret.slice(0, colon), secret.slice(colon + 1)];
    }
  }
}
