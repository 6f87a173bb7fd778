import { foldHeaderName, type HeaderField, isReservedHeader, type Placement } from '../../providers/index.ts';
import type { Filled } from '../content/index.ts';
import { type PlacementWriter, writerFor } from './placement-writers.ts';
import type { ForwardTarget } from './target.ts';

/** One credential, ready to be written on one route's requests. Kept beside the credential, never logged. */
export interface Injection {
  /** What this request carries: always the same object, unless a placement computes its value from the request. */
  fieldsFor(target: ForwardTarget): InjectedFields;
  /** Names of the fields that are replaced or removed: lower case, `_` as `-`. */
  readonly names: readonly string[];
  /** Names of the query parameters that are replaced or removed. */
  readonly parameters: readonly string[];
  /** The phantom in the path is replaced. */
  readonly replacesPath: boolean;
  /** How it is placed, for the audit: never the value. */
  readonly placement: string;
  /** Responses are searched, so only codings that can be decoded here are asked for. */
  readonly scrubbed: boolean;
  /** Places in the content of the request and in messages, for those who read these. */
  readonly content: readonly Placement[];
  /** The content with the secret in these places of it; absent where no place is in any content. */
  readonly fill?: Fill;
  /** Nothing is written in the head. */
  readonly isBlank: boolean;
}

export type Fill = (content: Buffer, values: readonly Filled[]) => Buffer;

/** What a credential adds to one request. */
export interface InjectedFields {
  /** Whole field lines with their CRLFs. */
  readonly lines: string;
  /** The same, for protocols that have no lines. */
  readonly fields: readonly HeaderField[];
  /** Those among the lines that do not replace what the agent sent, but are added to it. */
  readonly added: readonly HeaderField[];
  readonly parameters: readonly { readonly name: string; readonly encoded: string }[];
  /** Names of parameters that are removed, decoded. */
  readonly removedParameters: readonly string[];
  /** The path with the secret in it; that of the request where it is absent. */
  readonly path?: string;
}

/** What is taken out of a request, besides what the credential replaces. */
export interface Removed {
  readonly names: readonly string[];
  readonly parameters: readonly string[];
}

const nothing: Removed = { names: [], parameters: [] };

const fieldName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const fieldValue = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;
const loneSurrogate = /\p{Surrogate}/u;

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
  const writers: PlacementWriter[] = [];
  for (const placement of placements) {
    const writer = writerFor(placement, secret);
    if (writer === undefined) return undefined;
    writers.push(writer);
  }
  return composeInjection(writers, scrubbed);
}

/**
 * Puts together what the placements of one route write. This is the only code that turns a secret into bytes of a
 * request, so names and values are checked here, whatever a placement does. Constant values are checked and written
 * once. A computed value that cannot be written makes `fieldsFor` throw a TypeError, which never quotes it.
 */
export function composeInjection(
  writers: readonly PlacementWriter[],
  scrubbed: boolean,
  removed: Removed = nothing,
): Injection | undefined {
  const fieldNames = writers.flatMap((writer) => writer.fields);
  const removedNames = writers.flatMap(({ removes = [] }) => removes);
  const addedNames = writers.flatMap(({ adds = [] }) => adds.map(({ name }) => name));
  if (!addedNames.every((name) => fieldName.test(name) && !isReservedHeader(name))) return undefined;
  if (!fieldNames.every((name) => fieldName.test(name) && !isReservedHeader(name))) return undefined;
  const parameterNames = writers.flatMap((writer) => writer.parameters);
  if (!parameterNames.every((name) => name !== '' && !loneSurrogate.test(name))) return undefined;
  const shared = {
    names: [...fieldNames, ...removedNames, ...removed.names].map(foldHeaderName),
    parameters: [...parameterNames, ...removed.parameters],
    placement: writers.map((writer) => writer.description).join(', '),
    scrubbed,
    replacesPath: false,
    content: [],
    isBlank: writers.every(isBlank),
  };
  if (writers.some((writer) => typeof writer.values === 'function')) {
    return {
      ...shared,
      fieldsFor(target) {
        const written = write(writers, removed, target);
        if (written === undefined) throw new TypeError(`cannot be written as ${shared.placement}`);
        return written;
      },
    };
  }
  const written = write(writers, removed, undefined);
  return written === undefined ? undefined : { ...shared, fieldsFor: () => written };
}

function isBlank({ fields, parameters, segment }: PlacementWriter): boolean {
  return fields.length === 0 && parameters.length === 0 && segment === undefined;
}

/** `undefined` where a value is missing or would break out of its place. `target` only matters to computed values. */
function write(
  writers: readonly PlacementWriter[],
  removed: Removed,
  target: ForwardTarget | undefined,
): InjectedFields | undefined {
  let lines = '';
  const fields: HeaderField[] = [];
  const added: HeaderField[] = [];
  const parameters: { name: string; encoded: string }[] = [];
  for (const writer of writers) {
    const { values } = writer;
    const given = typeof values === 'function' ? values(target as ForwardTarget) : values;
    for (const [index, name] of writer.fields.entries()) {
      const value = given[index];
      if (value === undefined || !fieldValue.test(value)) return undefined;
      lines += `${name}: ${value}\r\n`;
      fields.push({ name, value });
    }
    for (const { name, value } of writer.adds ?? []) {
      if (!fieldValue.test(value)) return undefined;
      lines += `${name}: ${value}\r\n`;
      added.push({ name, value });
    }
    for (const [index, name] of writer.parameters.entries()) {
      const value = given[writer.fields.length + index];
      if (value === undefined || loneSurrogate.test(value)) return undefined;
      parameters.push({ name, encoded: `${encodeComponent(name)}=${encodeComponent(value)}` });
    }
  }
  return { lines, fields, added, parameters, removedParameters: removed.parameters };
}

function encodeComponent(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
