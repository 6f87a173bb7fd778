import { isDeeperThan, parseJson } from '../../json.ts';

/** The parameters of a token request (RFC 6749 §4.1.3, §6). */
export interface TokenParameters {
  get(name: string): string | undefined;
  /** Every text in it, however deep. */
  readonly texts: readonly string[];
}

/** As its media type says, JSON or a form; `undefined` for what is neither, or is not one of those allowed. */
export function readTokenParameters(
  body: Uint8Array,
  contentType: string,
  allowed: readonly ('json' | 'form')[],
): TokenParameters | undefined {
  const text = Buffer.from(body).toString('utf8');
  const media = contentType.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (media === 'application/json' && allowed.includes('json')) return fromJson(text);
  if (media === 'application/x-www-form-urlencoded' && allowed.includes('form')) return fromForm(text);
  return undefined;
}

function fromJson(text: string): TokenParameters | undefined {
  const value = parseJson(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  if (isDeeperThan(value, deepest)) return undefined;
  const fields = new Map(Object.entries(value));
  return {
    get(name) {
      const field: unknown = fields.get(name);
      return typeof field === 'string' ? field : undefined;
    },
    texts: textsIn(value),
  };
}

const deepest = 32;

/** A form with a name twice is read in two ways by servers (RFC 6749 §3.2), so it is none. */
function fromForm(text: string): TokenParameters | undefined {
  const params = new URLSearchParams(text);
  const names = [...params.keys()];
  if (new Set(names).size !== names.length) return undefined;
  return { get: (name) => params.get(name) ?? undefined, texts: [...params.values()] };
}

function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(textsIn);
}
