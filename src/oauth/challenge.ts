/** A token that the HTTP grammar knows (RFC 9110 §5.6.2), with the value that it is given, if any. */
const part = /([!#$%&'*+.^_`|~\w-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*)))?/g;
const maxLength = 4096;

/**
 * The parameters of the first challenge for a token (`Bearer`, or `DPoP`) in a `WWW-Authenticate` field (RFC 9110
 * §11.6.1, RFC 6750 §3), names in lower case; empty when there is none.
 */
export function challengeParameters(field: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  let isOurs = false;
  for (const [whole, name = '', quoted, bare] of field.slice(0, maxLength).matchAll(part)) {
    if (whole === name) {
      if (isOurs) break;
      isOurs = /^(bearer|dpop)$/i.test(name);
    } else if (isOurs && !parameters.has(name.toLowerCase())) {
      parameters.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? bare ?? '');
    }
  }
  return parameters;
}

/** What a service's response says about scopes. */
export interface ScopeFields {
  readonly status: number;
  /** `WWW-Authenticate`. */
  readonly challenge?: string | undefined;
  /** `X-Accepted-OAuth-Scopes`: any of these would do. */
  readonly accepted?: string | undefined;
  /** `X-OAuth-Scopes`: those that the token has. */
  readonly held?: string | undefined;
}

/**
 * The missing scopes for which a service refused a request, as far as it says so: `insufficient_scope` with its `scope`
 * (RFC 6750 §3.1), or GitHub's pair of fields. Empty otherwise, and for names that cannot be scopes.
 */
export function missingScopes(response: ScopeFields): readonly string[] {
  if (response.status !== 401 && response.status !== 403) return [];
  const challenge = challengeParameters(response.challenge ?? '');
  if (challenge.get('error') === 'insufficient_scope') return scopesIn(challenge.get('scope') ?? '');
  if (response.accepted === undefined || response.held === undefined) return [];
  const accepted = scopesIn(response.accepted);
  const held = scopesIn(response.held);
  if (accepted.some((scope) => held.includes(scope))) return [];
  // One of them is enough: the one that can do least, where their names tell.
  const least = accepted.find((scope) => scope.startsWith('read:')) ?? accepted[0];
  return least === undefined ? [] : [least];
}

const maxScopes = 50;

/** RFC 6749 §3.3, with commas between them allowed. Foreign text that is shown and typed again. */
function scopesIn(text: string): readonly string[] {
  const scopes = text.split(/[\s,]+/).filter((scope) => /^[A-Za-z0-9._~:/?#@!*+=%&-]{1,200}$/.test(scope));
  return [...new Set(scopes)].slice(0, maxScopes);
}
