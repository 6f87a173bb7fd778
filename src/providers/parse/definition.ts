import { AuthsomeError } from '../../errors.ts';
import { isDeeperThan } from '../../json.ts';
import { Fault } from '../fault.ts';
import {
  type FlowName,
  flowNames,
  type OauthDefinition,
  type Provider,
  type ProviderSource,
} from '../provider.ts';
import { parseApiKey } from './api-key.ts';
import { parseCapture } from './capture.ts';
import { parseExport, parsePhantomTemplate } from './export.ts';
import {
  at,
  Fields,
  isObject,
  type Places,
  PointedFault,
  parseBaseUrl,
  placeFault,
  printableForm,
  sentenceForm,
} from './fields.ts';
import { assertAccountIsOwn, parseInject, usualPlacements } from './inject.ts';
import { missingForFlow, parseOauth } from './oauth.ts';
import { accountProbe, parseProbe } from './probe.ts';
import { modernise, originalPointer } from './spelling.ts';
import { parseReadVariable } from './variables.ts';

export interface ParseOptions {
  /** Replaces `{base_url}`, and the definition's own default for it. */
  readonly baseUrl?: string | undefined;
}

/** Far above what any definition needs, far below what would overflow a recursion. */
const deepest = 32;

/**
 * The provider that a definition describes. Throws InvalidDefinition with the JSON pointer of the field at fault and a
 * sentence (`/oauth/token_url: must be an https URL`), and Usage for an invalid base URL.
 */
export function parseProvider(
  document: unknown,
  source: ProviderSource,
  options: ParseOptions = {},
): Provider {
  if (!isObject(document)) throw new AuthsomeError('InvalidDefinition', '/: must be a JSON object');
  if (isDeeperThan(document, deepest)) {
    throw new AuthsomeError('InvalidDefinition', `/: must not be nested more than ${deepest} deep`);
  }
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
      hint: 'For example: --base-url https://gitlab.example.com',
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
  const allowsLoopback = modern.allow_loopback === true;
  const named = asked && new URL(asked).host;
  const ownBaseUrl = defaultBaseUrl(modern, { allowsLoopback, named });
  const baseUrl = asked ?? ownBaseUrl;
  const document = asked === undefined || asked === ownBaseUrl ? modern : selfHosted(modern);
  const places = { baseUrl, named, allowsLoopback };
  const fields = new Fields(document, '', places);
  fields.flag('allow_loopback', false);
  if (fields.has('schema_version') && document.schema_version !== 1)
    fields.fault('schema_version', 'must be 1');
  const name = fields.text('name', nameForm) ?? fields.fault('name', nameForm.sentence);
  const usesBaseUrl = JSON.stringify(document).includes('{base_url}');
  if (asked !== undefined && !usesBaseUrl) {
    throw new AuthsomeError('Usage', `${name} has a fixed address; it does not accept a base URL`, {
      hint: 'Leave out --base-url.',
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
      ? (fields.object('oauth') ?? fields.fault('oauth', 'is required for auth_type oauth2'))
      : undefined;
  const missing = missingForFlow(flow, oauthFields);
  if (missing !== undefined) oauthFields?.fault(missing.key, missing.sentence);
  const oauth = oauthFields === undefined ? undefined : parseOauth(oauthFields, flow, baseUrl);
  const keyFields =
    fields.object('api_key') ?? (authType === 'api_key' ? new Fields({}, '/api_key', places) : undefined);
  const phantom = parsePhantomTemplate(fields.object('export'));
  const apiKey = keyFields === undefined ? undefined : parseApiKey(keyFields, { provider: name, phantom });
  const inject = parseInject(fields, usualPlacements(fields, oauth, apiKey, keyFields), apiKey?.shapes);
  const needsBaseUrl = usesBaseUrl && baseUrl === undefined;
  assertAccountIsOwn(oauthFields, oauth, inject);
  const capture = parseCapture(fields.object('capture'));
  if (capture !== undefined && authType !== 'oauth2') fields.fault('capture', 'is for auth_type oauth2 only');
  return {
    name,
    displayName: fields.text('display_name', printableForm) ?? name,
    source,
    authType,
    flow,
    baseUrl,
    needsBaseUrl,
    isBaseUrlAsked: asked !== undefined,
    oauth,
    apiKey,
    client: parseClient(fields.object('client')),
    inject: needsBaseUrl ? [] : inject,
    exportVariables: parseExport(fields.object('export')?.object('env'), name),
    phantom,
    capture,
    probe: parseProbe(fields.object('probe'), inject) ?? accountProbe(oauth),
    docs: fields.page('docs'),
    setup: parseSetup(fields),
    document: resolvedDocument(
      document,
      { flow, displayName: fields.text('display_name') ?? name, oauth },
      baseUrl,
    ),
  };
}

function defaultBaseUrl(
  document: Readonly<Record<string, unknown>>,
  places: Omit<Places, 'baseUrl'>,
): string | undefined {
  const oauth = document.oauth;
  const [value, pointer] =
    isObject(oauth) && oauth.base_url != null
      ? [oauth.base_url, '/oauth/base_url']
      : [document.base_url, '/base_url'];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw new PointedFault(pointer, 'must be an https URL');
  const baseUrl = at(pointer, () => parseBaseUrl(value));
  const fault = placeFault(new URL(baseUrl), places);
  if (fault !== undefined) throw new PointedFault(pointer, fault);
  return baseUrl;
}

/** The definition for a self-hosted service: the fields of `self_hosted` replace those above it. */
function selfHosted(document: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { self_hosted: changes, ...rest } = document;
  if (changes === undefined || changes === null) return document;
  if (!isObject(changes)) throw new PointedFault('/self_hosted', 'must be an object');
  const oauth =
    isObject(rest.oauth) && isObject(changes.oauth) ? { ...rest.oauth, ...changes.oauth } : undefined;
  return { ...rest, ...changes, ...(oauth === undefined ? {} : { oauth }) };
}

function parseClient(fields: Fields | undefined): Provider['client'] {
  return {
    clientId: fields?.text('client_id', { pattern: /^[\x21-\x7e]+$/, sentence: 'must be printable ASCII' }),
    clientIdEnv: fields && parseReadVariable(fields, 'client_id_env'),
    clientSecretEnv: fields && parseReadVariable(fields, 'client_secret_env'),
  };
}

function parseSetup(fields: Fields): Provider['setup'] {
  const setup = fields.object('setup');
  const steps = setup?.texts('steps') ?? [];
  for (const { text, pointer } of steps) {
    // A terminal shows them unmodified.
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
