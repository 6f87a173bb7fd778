import type { CaptureDefinition, CapturedSecret, CaptureEndpoint } from '../capture.ts';
import { parseHostPattern } from '../host-pattern.ts';
import { at, type Fields, type TextForm } from './fields.ts';

const fieldForm: TextForm = {
  pattern: /^[A-Za-z0-9_-]{1,64}$/,
  sentence: 'must be a field name of letters, digits, underscores and hyphens',
};

const mostNames = 20;

/** The `capture` block of a definition. */
export function parseCapture(fields: Fields | undefined): CaptureDefinition | undefined {
  if (fields === undefined) return undefined;
  const tokenEndpoints = fields.objects('token_endpoints').map(parseEndpoint);
  if (tokenEndpoints.length === 0) fields.fault('token_endpoints', 'must name at least one endpoint');
  const revocationEndpoints = fields.objects('revocation_endpoints').map(parseEndpoint);
  const refusedEndpoints = fields.objects('refused_endpoints').map(parseEndpoint);
  const seen = new Set<string>();
  for (const { pattern } of [...tokenEndpoints, ...revocationEndpoints, ...refusedEndpoints]) {
    const place = `${pattern.host}:${pattern.port}${pattern.pathPrefix}`;
    if (seen.has(place)) fields.fault('token_endpoints', `must not name ${pattern.text} twice`);
    seen.add(place);
  }
  const refresh = fields.object('refresh');
  return {
    tokenEndpoints,
    revocationEndpoints,
    refusedEndpoints,
    secrets: parseSecrets(fields),
    refresh: {
      grantType: refresh?.text('grant_type', fieldForm) ?? 'refresh_token',
      field: refresh?.text('field', fieldForm) ?? 'refresh_token',
    },
    clientIds: fields.texts('client_ids', mostNames).map(({ text }) => text),
    programs: fields.texts('programs', mostNames).map(({ text }) => text),
    account: fields.text('account', {
      pattern: /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/,
      sentence: 'must be a dotted path of names',
    }),
  };
}

function parseEndpoint(fields: Fields): CaptureEndpoint {
  const url = fields.url('url') ?? fields.fault('url', 'must be the https URL of the endpoint');
  const pattern = at(fields.pointer('url'), () => parseHostPattern(url));
  if (pattern.pathPrefix === '/') fields.fault('url', 'must have a path');
  const requests = fields.texts('request').map(({ text, pointer }) => {
    if (text === 'json' || text === 'form') return text;
    return fields.faultAt(pointer, 'must be json or form');
  });
  return { url, pattern, requests: requests.length === 0 ? ['form'] : requests };
}

function parseSecrets(fields: Fields): readonly CapturedSecret[] {
  const names = fields.keys('secrets');
  const block = fields.object('secrets') ?? fields.fault('secrets', 'must name the fields that are secret');
  const secrets = names.map((field) => {
    if (!fieldForm.pattern.test(field)) block.fault(field, fieldForm.sentence);
    const secret = block.object(field) ?? block.fault(field, 'must be an object');
    const role = secret.oneOf('role', ['access_token', 'refresh_token', 'other']) ?? usualRole(field);
    const shape = secret.oneOf('shape', ['opaque', 'jwt']) ?? 'opaque';
    const claims = secret.texts('claims', mostClaims).map(({ text }) => text);
    if (claims.length > 0 && shape !== 'jwt') secret.fault('claims', 'are for the shape jwt only');
    return { field, role: role === 'other' ? undefined : role, shape, claims };
  });
  for (const role of ['access_token', 'refresh_token'] as const) {
    const count = secrets.filter((secret) => secret.role === role).length;
    if (count > 1) fields.fault('secrets', `must have one ${role} only`);
  }
  if (!secrets.some(({ role }) => role === 'access_token'))
    fields.fault('secrets', 'must say which field is the access_token');
  return secrets;
}

const mostClaims = 30;

function usualRole(field: string): 'access_token' | 'refresh_token' | 'other' {
  return field === 'access_token' || field === 'refresh_token' ? field : 'other';
}
