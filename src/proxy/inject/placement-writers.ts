import { type HeaderField, type Placement, placementName } from '../../providers/index.ts';
import { encodeInSegment } from './segment.ts';
import type { ForwardTarget } from './target.ts';

/**
 * What one placement writes on a request. Which fields and parameters is fixed, so that what the agent put there is
 * always replaced; their values may depend on the request, as a signature does.
 */
export interface PlacementWriter {
  /** For the audit: never a value. */
  readonly description: string;
  /** Names of header fields. */
  readonly fields: readonly string[];
  /** Names of query parameters. */
  readonly parameters: readonly string[];
  /** Names of further fields that are removed from what the agent sent. */
  readonly removes?: readonly string[];
  /** Fields that do not replace what the agent sent under their names, but are added to it (RFC 9110 §5.3). */
  readonly adds?: readonly HeaderField[];
  /**
   * One value for each of `fields`, then one for each of `parameters`. A function gets the request as it was decided,
   * before anything is placed, and is called once each time the request is written.
   */
  readonly values: readonly string[] | ((target: ForwardTarget) => readonly string[]);
  /** What replaces the phantom in the path. */
  readonly segment?: string;
}

const prefixForHeader = /^[\x20-\x7e]*$/;
const secretForHeader = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

/** The writer of a secret in this place, or `undefined` where the place cannot take it. */
export function writerFor(placement: Placement, secret: string): PlacementWriter | undefined {
  switch (placement.kind) {
    case 'header':
      return headerWriter(placement, secret);
    case 'basic':
      return basicWriter(placement, secret);
    case 'query': {
      const { name } = placement;
      return { description: `query ${name}`, fields: [], parameters: [name], values: [secret] };
    }
    case 'path':
      return pathWriter(placement, secret);
    case 'body':
    case 'websocket':
      return { description: placementName(placement), fields: [], parameters: [], values: [] };
  }
}

function pathWriter(
  { template }: Extract<Placement, { kind: 'path' }>,
  secret: string,
): PlacementWriter | undefined {
  const [before = '', after = ''] = template.split('{secret}');
  const start = before.slice(before.lastIndexOf('/') + 1);
  const segment = encodeInSegment(secret, start, after.split('/', 1)[0]);
  if (segment === undefined) return undefined;
  return { description: `path ${template}`, fields: [], parameters: [], values: [], segment };
}

function headerWriter(
  { name, prefix, instead = [], beside = [] }: Extract<Placement, { kind: 'header' }>,
  secret: string,
): PlacementWriter | undefined {
  if (!prefixForHeader.test(prefix) || !secretForHeader.test(secret)) return undefined;
  const value = `${prefix}${secret}`.trimStart();
  return {
    description: `header ${name.toLowerCase()}`,
    fields: [name],
    parameters: [],
    removes: instead,
    adds: beside,
    values: [value],
  };
}

/** RFC 7617 §2: the user name contains no colon, neither part a control character. */
function basicWriter(
  placement: Extract<Placement, { kind: 'basic' }>,
  secret: string,
): PlacementWriter | undefined {
  const [user, password] = basicParts(placement, secret);
  if (password === undefined) return undefined;
  if (user.includes(':') || /[\x00-\x1f\x7f]/.test(user + password)) return undefined;
  const value = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  return { description: 'basic authorization', fields: ['Authorization'], parameters: [], values: [value] };
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
