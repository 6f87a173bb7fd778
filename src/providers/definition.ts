import { AuthsomeError } from '../errors.ts';
import { Fault } from './fault.ts';
import { at, Fields, isObject, PointedFault, parseBaseUrl } from './fields.ts';
import { registrableDomain } from './host.ts';
import { parseHostPattern } from './host-pattern.ts';
import { missingForFlow, parseOauth } from './oauth-definition.ts';
import { compilePattern } from './pattern.ts';
import { phantomOfPattern } from './phantom.ts';
import { parseHeaderName, parseHeaderPrefix, parsePlacement, parseQueryName } from './placements.ts';
import {
  type ApiKeyDefinition,
  type FlowName,
  flowNames,
  type InjectRule,
  type OauthDefinition,
  type Placement,
  type Provider,
  type ProviderSource,
} from './provider.ts';
import { modernise, originalPointer } from './spelling.ts';

export interface ParseOptions {
  /** Replaces `{base_url}`, and the definition's own default for it. */
  readonly baseUrl?: string | undefined;
}

/**
 * The provider that a definition describes. Throws InvalidDefinition with the JSON pointer of the field at fault and a
 * sentence (`/oauth/token_url: must be an https URL`), and Usage for a base URL that is none.
 */
export function parseProvider(
  document: unknown,
  source: ProviderSource,
  options: ParseOptions = {},
): Provider {
  if (!isObject(document)) throw new AuthsomeError('InvalidDefinition', '/: must be a JSON object');
  const asked = options.baseUrl === undefined ? undefined : askedBaseUrl(options.baseUrl);
  const { document: modern, moves } = modernise(document);
  try {
    return parseModern(modern, source, asked);
  } catch (error) {
    if (!(error instanceof PointedFault)) throw error;
    throw new AuthsomeError(
      'InvalidDefinition',
      `${originalPointer(error.pointer, moves)}: ${error.sentence}`,
    );
  }
}

function askedBaseUrl(text: string): string {
  try {
    return parseBaseUrl(text);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    throw new AuthsomeError('Usage', `the base URL ${error.message}`, {
      hint: 'Give it as in: --base-url https://gitlab.example.com',
    });
  }
}

const nameForm = {
  pattern: /^[a-z0-9][a-z0-9-]{0,62}$/,
  sentence: 'must consist of a-z, 0-9 and - and begin with a letter or digit',
};

function parseModern(
  modern: Readonly<Record<string, unknown>>,
  source: ProviderSource,
  asked: string | undefined,
): Provider {
  const ownBaseUrl = defaultBaseUrl(modern);
  const baseUrl = asked ?? ownBaseUrl;
  const document = asked === undefined || asked === ownBaseUrl ? modern : selfHosted(modern);
  const fields = new Fields(document, '', baseUrl);
  if (fields.has('schema_version') && document.schema_version !== 1)
    fields.fault('schema_version', 'must be 1');
  const name = fields.text('name', nameForm) ?? fields.fault('name', nameForm.sentence);
  const usesBaseUrl = JSON.stringify(document).includes('{base_url}');
  if (asked !== undefined && !usesBaseUrl) {
    throw new AuthsomeError('Usage', `${name} has one address only, so it takes no base URL`, {
      hint: `Run: authsome login ${name}`,
    });
  }
  const authType =
    fields.oneOf('auth_type', ['oauth2', 'api_key']) ??
    fields.fault('auth_type', 'must be oauth2 or api_key');
  const flow = fields.oneOf('flow', flowNames) ?? (authType === 'oauth2' ? 'pkce' : 'api_key');
  if ((authType === 'api_key') !== (flow === 'api_key'))
    fields.fault('flow', `must be a flow of auth_type ${authType}`);
  const oauthFields =
    authType === 'oauth2'
      ? (fields.object('oauth') ?? fields.fault('oauth', 'must be there for auth_type oauth2'))
      : undefined;
  const missing = missingForFlow(flow, oauthFields);
  if (missing !== undefined) oauthFields?.fault(missing.key, missing.sentence);
  const oauth = oauthFields === undefined ? undefined : parseOauth(oauthFields, flow, baseUrl);
  const keyFields =
    fields.object('api_key') ?? (authType === 'api_key' ? new Fields({}, '/api_key', baseUrl) : undefined);
  const phantom = parsePhantomTemplate(fields.object('export'));
  const apiKey = keyFields === undefined ? undefined : parseApiKey(keyFields, phantom);
  const inject = parseInject(fields, usualPlacements(fields, oauth, apiKey, keyFields));
  const needsBaseUrl = usesBaseUrl && baseUrl === undefined;
  assertAccountIsOwn(oauthFields, oauth, inject);
  return {
    name,
    displayName: fields.text('display_name', printableForm) ?? name,
    source,
    authType,
    flow,
    baseUrl,
    needsBaseUrl,
    oauth,
    apiKey,
    client: parseClient(fields.object('client')),
    inject: needsBaseUrl ? [] : inject,
    exportVariables: parseExport(fields.object('export')?.object('env')),
    phantom,
    docs: fields.page('docs'),
    setup: parseSetup(fields),
    document: resolvedDocument(
      document,
      { flow, displayName: fields.text('display_name') ?? name, oauth },
      baseUrl,
    ),
  };
}

const printableForm = {
  pattern: /^[^\p{Cc}\p{Cf}]{1,120}$/u,
  sentence: 'must be printable text of at most 120 characters',
};

const sentenceForm = {
  pattern: /^[^\p{Cc}\p{Cf}]{1,300}$/u,
  sentence: 'must be printable text of at most 300 characters',
};

function defaultBaseUrl(document: Readonly<Record<string, unknown>>): string | undefined {
  const oauth = document.oauth;
  const [value, pointer] =
    isObject(oauth) && oauth.base_url != null
      ? [oauth.base_url, '/oauth/base_url']
      : [document.base_url, '/base_url'];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw new PointedFault(pointer, 'must be an https URL');
  return at(pointer, () => parseBaseUrl(value));
}

/** What differs when a person runs the service themselves: `self_hosted` has the fields that replace those above it. */
function selfHosted(document: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { self_hosted: changes, ...rest } = document;
  if (changes === undefined || changes === null) return document;
  if (!isObject(changes)) throw new PointedFault('/self_hosted', 'must be an object');
  const oauth =
    isObject(rest.oauth) && isObject(changes.oauth) ? { ...rest.oauth, ...changes.oauth } : undefined;
  return { ...rest, ...changes, ...(oauth === undefined ? {} : { oauth }) };
}

function parseApiKey(fields: Fields, phantom: string | undefined): ApiKeyDefinition {
  const queryParam = parseQueryName(fields, 'query_param');
  const headerName =
    parseHeaderName(fields, 'header_name') ?? (queryParam === undefined ? 'Authorization' : undefined);
  const written = fields.text('key_pattern');
  const keyPattern =
    written === undefined
      ? undefined
      : at(fields.pointer('key_pattern'), () => compilePattern(anchored(written)));
  if (keyPattern !== undefined && phantom === undefined) {
    at(fields.pointer('key_pattern'), () =>
      phantomOfPattern(keyPattern.source, (size) => new Uint8Array(size)),
    );
  }
  if (
    keyPattern !== undefined &&
    phantom !== undefined &&
    !keyPattern.test(phantom.replaceAll('{random}', 'A'.repeat(24)))
  ) {
    throw new PointedFault(
      '/export/phantom',
      'must satisfy key_pattern, with 24 letters and digits for {random}',
    );
  }
  return {
    headerName,
    headerPrefix: headerName === undefined ? '' : parseHeaderPrefix(fields, 'header_prefix', headerName),
    queryParam,
    envVar: fields.text('env_var', variableForm),
    keyPattern,
    keyPatternHint: fields.text('key_pattern_hint', sentenceForm),
  };
}

/** A pattern without anchors is meant for the whole key: a key that merely contains a good one is not good. */
function anchored(source: string): string {
  return source.startsWith('^') || source.endsWith('$') ? source : `^(?:${source})$`;
}

function usualPlacements(
  fields: Fields,
  oauth: OauthDefinition | undefined,
  apiKey: ApiKeyDefinition | undefined,
  keyFields: Fields | undefined,
): readonly Placement[] {
  const bearer: Placement = { kind: 'header', name: 'Authorization', prefix: 'Bearer ' };
  if (apiKey === undefined || keyFields === undefined) return [bearer];
  const placements: Placement[] = [];
  if (apiKey.headerName !== undefined)
    placements.push({ kind: 'header', name: apiKey.headerName, prefix: apiKey.headerPrefix });
  if (apiKey.queryParam !== undefined) placements.push({ kind: 'query', name: apiKey.queryParam });
  const differs = JSON.stringify(placements) !== JSON.stringify([bearer]);
  if (oauth !== undefined && differs && fields.has('api_url')) {
    fields.fault(
      'api_key',
      'must go where the OAuth token goes; where both go elsewhere, name those hosts in inject',
    );
  }
  return placements;
}

/** The hosts of `api_url` with the usual placement, then what `inject` says of further ones. */
function parseInject(fields: Fields, usual: readonly Placement[]): readonly InjectRule[] {
  const further = fields.objects('inject');
  const rules: InjectRule[] = [];
  if (fields.has('api_url') || further.length === 0) {
    rules.push({ hosts: parseHosts(fields, 'api_url'), placements: usual });
  }
  for (const rule of further) {
    const placements = rule.objects('placements').map(parsePlacement);
    if (placements.length === 0) rule.fault('placements', 'must say where the credential goes');
    rules.push({ hosts: parseHosts(rule, 'hosts'), placements });
  }
  const seen = new Set<string>();
  for (const { kind, host, port, pathPrefix, text } of rules.flatMap((rule) => rule.hosts)) {
    const place = kind === 'regex' ? text : `${kind} ${host}:${port}${pathPrefix}`;
    if (seen.has(place)) fields.fault('inject', `must not name ${text} twice`);
    seen.add(place);
  }
  return rules;
}

function parseHosts(fields: Fields, key: string): InjectRule['hosts'] {
  const texts = fields.texts(key);
  if (texts.length === 0) fields.fault(key, 'must name at least one host');
  return texts.map(({ text, pointer }) => at(pointer, () => parseHostPattern(fields.resolve(text).resolved)));
}

/**
 * The daemon sends the token to the account URL by itself, so that has to be a place which the definition's token is
 * for: the owner of its hosts or of its endpoints.
 */
function assertAccountIsOwn(
  fields: Fields | undefined,
  oauth: OauthDefinition | undefined,
  inject: readonly InjectRule[],
): void {
  if (oauth?.account === undefined) return;
  const ownerOf = (host: string) => registrableDomain(host) ?? host;
  const endpoints = [oauth.tokenUrl, oauth.authorizationUrl, oauth.issuer].flatMap((url) =>
    url === undefined ? [] : [new URL(url).hostname],
  );
  const hosts = inject.flatMap((rule) => rule.hosts.map((pattern) => pattern.host));
  const owners = new Set([...hosts, ...endpoints].map(ownerOf));
  if (owners.has(ownerOf(new URL(oauth.account.url).hostname))) return;
  fields
    ?.object('account')
    ?.fault('url', "must be on one of the provider's own domains: it is called with the token");
}

function parseClient(fields: Fields | undefined): Provider['client'] {
  return {
    clientId: fields?.text('client_id', { pattern: /^[\x21-\x7e]+$/, sentence: 'must be printable ASCII' }),
    clientIdEnv: fields?.text('client_id_env', variableForm),
    clientSecretEnv: fields?.text('client_secret_env', variableForm),
  };
}

const variableForm = {
  pattern: /^[A-Za-z_][A-Za-z0-9_]*$/,
  sentence: 'must be the name of an environment variable',
};

/** Variables that steer programs or the proxy itself: a phantom there would break the run or take it past the proxy. */
const reservedVariables =
  /^(?:PATH|HOME|SHELL|USER|TERM|IFS|ENV|BASH_ENV|LD_.*|DYLD_.*|NODE_.*|DENO_.*|PYTHON.*|RUBY.*|PERL.*|JAVA_TOOL_OPTIONS|GIT_.*|SSL_CERT_.*|CURL_CA_BUNDLE|REQUESTS_CA_BUNDLE|AWS_CA_BUNDLE|.*_PROXY|AUTHSOME_.*)$/i;

function parseExport(fields: Fields | undefined): Provider['exportVariables'] {
  if (fields === undefined) return [];
  const seen = new Set<string>();
  return (['access_token', 'api_key'] as const).flatMap((value) =>
    fields.texts(value).map(({ text: name, pointer }) => {
      if (!variableForm.pattern.test(name)) throw new PointedFault(pointer, variableForm.sentence);
      if (reservedVariables.test(name))
        throw new PointedFault(pointer, `must not be ${name}: that variable steers programs`);
      if (seen.has(name)) throw new PointedFault(pointer, `must not name ${name} twice`);
      seen.add(name);
      return { name, value };
    }),
  );
}

function parsePhantomTemplate(fields: Fields | undefined): string | undefined {
  const text = fields?.text('phantom', {
    pattern: /^[\x21-\x7e]{8,512}$/,
    sentence: 'must be 8 to 512 printable ASCII characters',
  });
  if (text !== undefined && !text.includes('{random}'))
    fields?.fault('phantom', 'must hold {random}, so that no two runs share one');
  return text;
}

function parseSetup(fields: Fields): Provider['setup'] {
  const setup = fields.object('setup');
  const steps = setup?.texts('steps') ?? [];
  for (const { text, pointer } of steps) {
    // Shown on a terminal as they are.
    if (!sentenceForm.pattern.test(text)) throw new PointedFault(pointer, sentenceForm.sentence);
  }
  return { url: setup?.page('url'), steps: steps.map(({ text }) => text) };
}

function resolvedDocument(
  document: Readonly<Record<string, unknown>>,
  parsed: {
    readonly flow: FlowName;
    readonly displayName: string;
    readonly oauth: OauthDefinition | undefined;
  },
  baseUrl: string | undefined,
): Readonly<Record<string, unknown>> {
  const resolved = resolveAll(document, baseUrl) as Readonly<Record<string, unknown>>;
  const { oauth } = parsed;
  const effective =
    oauth === undefined
      ? {}
      : {
          oauth: {
            ...(resolved.oauth as object),
            ...(baseUrl === undefined ? {} : { base_url: baseUrl }),
            pkce: oauth.pkce,
            supports_device_code: oauth.supportsDeviceCode,
            supports_dcr: oauth.supportsDcr,
          },
        };
  return {
    schema_version: 1,
    ...resolved,
    display_name: parsed.displayName,
    flow: parsed.flow,
    ...effective,
  };
}

function resolveAll(value: unknown, baseUrl: string | undefined): unknown {
  if (typeof value === 'string')
    return baseUrl === undefined ? value : value.replaceAll('{base_url}', baseUrl);
  if (Array.isArray(value)) return value.map((item: unknown) => resolveAll(item, baseUrl));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolveAll(item, baseUrl)]));
}
