import { isObject } from './fields.ts';

type Document = Readonly<Record<string, unknown>>;

/** Where a field is now → where it was written, as JSON pointers. */
export type Moves = ReadonlyMap<string, string>;

const oldFields = [
  ['/host_url', '/api_url'],
  ['/env', '/export/env'],
  ['/export/access_token', '/export/env/access_token'],
  ['/export/api_key', '/export/env/api_key'],
  ['/docs_url', '/docs'],
  ['/authorization_method', '/oauth/token_endpoint_auth_method'],
  ['/oauth/authorization_method', '/oauth/token_endpoint_auth_method'],
  ['/oauth/supports_device_flow', '/oauth/supports_device_code'],
  ['/registration/endpoint', '/oauth/registration_endpoint'],
  ['/registration/registration_endpoint', '/oauth/registration_endpoint'],
  ['/registration/supports_dcr', '/oauth/supports_dcr'],
  ['/registration/client_id', '/client/client_id'],
  ['/registration/client_id_env', '/client/client_id_env'],
  ['/registration/client_secret_env', '/client/client_secret_env'],
  ['/registration/url', '/setup/url'],
  ['/registration/docs_url', '/setup/url'],
  ['/registration/steps', '/setup/steps'],
  ['/registration/instructions', '/setup/steps'],
] as const;

const authMethod = '/oauth/token_endpoint_auth_method';

/** Older definitions say where the client's secret goes, not what the RFC calls it. Another word for it says nothing. */
function methodOf(written: unknown): unknown {
  if (written === 'header' || written === 'basic') return 'client_secret_basic';
  return written === 'body' || written === 'post' ? 'client_secret_post' : undefined;
}

/** The document with old field names moved to today's; a field under today's name wins. */
export function modernise(document: Document): { readonly document: Document; readonly moves: Moves } {
  const moves = new Map<string, string>();
  let result = document;
  for (const [from, to] of oldFields) {
    const written = valueAt(document, from);
    const value = to === authMethod ? methodOf(written) : written;
    if (to === authMethod && !isObject(document.oauth)) continue;
    if (value === undefined || value === null || valueAt(result, to) != null) continue;
    result = withValue(result, to.slice(1).split('/'), value);
    moves.set(to, from);
  }
  return { document: result, moves };
}

/** The pointer as the definition's author wrote it. */
export function originalPointer(pointer: string, moves: Moves): string {
  for (const [to, from] of moves) {
    if (pointer === to || pointer.startsWith(`${to}/`)) return from + pointer.slice(to.length);
  }
  return pointer;
}

function valueAt(document: Document, pointer: string): unknown {
  return pointer
    .slice(1)
    .split('/')
    .reduce<unknown>(
      (value, key) => (isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined),
      document,
    );
}

function withValue(document: Document, path: readonly string[], value: unknown): Document {
  const [key, ...rest] = path;
  if (key === undefined) return document;
  const child = document[key] ?? {};
  if (rest.length > 0 && !isObject(child)) return document;
  return { ...document, [key]: rest.length === 0 ? value : withValue(child as Document, rest, value) };
}
