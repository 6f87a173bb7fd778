import { jsonPointer } from '../../json.ts';
import { closest } from '../../suggestion.ts';
import { isObject } from './fields.ts';

/** A field that nothing reads: kept as it is, and most likely a misspelling. */
export interface UnknownField {
  readonly pointer: string;
  /** The field that was probably meant. */
  readonly meant: string | undefined;
}

/** Field → what is known inside it. `undefined`: nothing to look at there. A list means each of its entries. */
interface Known {
  readonly [field: string]: Known | undefined;
}

/** Fields with nothing to look at inside. */
function fieldsNamed(...names: readonly string[]): Known {
  return Object.fromEntries(names.map((name) => [name, undefined]));
}

const oauth: Known = {
  ...fieldsNamed(
    ...['base_url', 'issuer', 'authorization_url', 'token_url', 'revocation_url', 'resource', 'scopes'],
    ...['device_authorization_url', 'registration_endpoint', 'pushed_authorization_request_endpoint'],
    ...['require_pushed_authorization_requests', 'scope_separator', 'scope_parameter', 'pkce'],
    ...['supports_device_code', 'supports_device_flow', 'supports_dcr', 'token_endpoint_auth_method'],
    ...['authorization_method', 'authorization_params', 'token_params', 'token_request', 'iss'],
    ...['device_token_request', 'redirect_host'],
  ),
  account: fieldsNamed('url', 'field'),
};
const placement: Known = fieldsNamed(
  ...['kind', 'name', 'prefix', 'username', 'secret_as', 'when', 'template', 'field', 'pointer'],
);
const inject: Known = { ...fieldsNamed('hosts', 'scrub'), placements: placement, any_of: placement };
const definition: Known = {
  ...fieldsNamed(
    ...['schema_version', 'name', 'display_name', 'description', 'logo', 'docs', 'docs_url', 'auth_type'],
    ...['flow', 'base_url', 'api_url', 'host_url', 'scrub', 'env', 'authorization_method', '$schema'],
    // What authsome adds when it stores a definition.
    ...['allow_loopback', 'registered_from', 'discovered_from'],
    // What `inspect --json` adds.
    ...['v', 'source', 'redirect_uri', 'asks_for', 'unknown_fields', 'asks_for_with_base_url', 'changes'],
    ...['changes_with_base_url'],
  ),
  oauth,
  inject,
  any_of: placement,
  api_key: {
    ...fieldsNamed(
      ...['header_name', 'header_prefix', 'query_param', 'env_var', 'key_pattern', 'key_pattern_hint'],
    ),
    alternatives: fieldsNamed('key_pattern', 'header_name', 'header_prefix', 'headers'),
  },
  client: fieldsNamed('client_id', 'client_id_env', 'client_secret_env'),
  export: fieldsNamed('env', 'phantom', 'access_token', 'refresh_token', 'api_key'),
  probe: fieldsNamed('url', 'method', 'ok'),
  setup: fieldsNamed('url', 'steps'),
  capture: {
    ...fieldsNamed('account', 'client_ids', 'programs'),
    token_endpoints: fieldsNamed('url', 'request'),
    revocation_endpoints: fieldsNamed('url', 'request'),
    refused_endpoints: fieldsNamed('url'),
    secrets: undefined,
    refresh: fieldsNamed('grant_type', 'field'),
  },
  registration: fieldsNamed(
    ...['endpoint', 'registration_endpoint', 'supports_dcr', 'client_id', 'client_id_env'],
    ...['client_secret_env', 'url', 'docs_url', 'steps', 'instructions'],
  ),
};
const selfHostable: Known = { ...definition, self_hosted: definition };

/** More help nobody, and looking for what was meant takes time. */
const mostUnknown = 20;

/** The first fields of a definition that nothing reads, in their order. */
export function unknownFields(document: unknown): readonly UnknownField[] {
  return unknownIn(document, selfHostable, [])
    .slice(0, mostUnknown)
    .map(({ path, name, known }) => ({
      pointer: jsonPointer(path.map(cutShort)),
      meant: closest(name.slice(0, longestName), Object.keys(known)),
    }));
}

const longestName = 100;

function cutShort(key: PropertyKey): PropertyKey {
  return typeof key === 'string' && key.length > longestName ? `${key.slice(0, longestName)}…` : key;
}

/** `unknown field "header" (did you mean "header_name"?) at /api_key/header`. */
export function unknownFieldText({ pointer, meant }: UnknownField): string {
  const name = pointer.slice(pointer.lastIndexOf('/') + 1);
  const suggestion = meant === undefined ? '' : ` (did you mean "${meant}"?)`;
  return `unknown field "${name}"${suggestion} at ${pointer}`;
}

interface Unknown {
  readonly path: readonly PropertyKey[];
  readonly name: string;
  /** What is known beside it. */
  readonly known: Known;
}

function unknownIn(value: unknown, known: Known, path: readonly PropertyKey[]): readonly Unknown[] {
  if (Array.isArray(value)) {
    return value.flatMap((item, index) => unknownIn(item, known, [...path, index]));
  }
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([name, inner]) => {
    const here = [...path, name];
    if (!Object.hasOwn(known, name)) {
      return [{ path: here, name, known }];
    }
    const within = known[name];
    return within === undefined ? [] : unknownIn(inner, within, here);
  });
}
