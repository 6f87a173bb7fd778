import { AuthsomeError } from '../../../src/errors.ts';
import { parseJson, withoutComments } from '../../../src/json.ts';
import { isThisMachine } from '../../../src/loopback.ts';
import {
  asksOf,
  type Provider,
  parseProvider,
  phantomFor,
  readPath,
  registrableDomain,
  unknownFields,
  unknownFieldText,
} from '../../../src/providers/index.ts';
import type { DefinitionInput } from './corpus.ts';

/** A broken rule. */
export class Violation extends Error {}

function must(holds: boolean, rule: string): void {
  if (!holds) throw new Violation(rule);
}

/** Reads a definition as `register` does. Throws for a rule that does not hold; what the parser refuses is fine. */
export function play({ text, baseUrl }: DefinitionInput): void {
  const document = parseJson(withoutComments(text));
  if (document === undefined) return;
  for (const field of unknownFields(document)) unknownFieldText(field);
  for (const named of new Set([undefined, baseUrl])) {
    const provider = accepted(document, named);
    if (provider !== undefined) check(provider, named);
  }
}

function accepted(document: unknown, baseUrl: string | undefined): Provider | undefined {
  try {
    return parseProvider(document, 'custom', { baseUrl });
  } catch (error) {
    if (!(error instanceof AuthsomeError)) throw error;
    const isFault = error.code === 'InvalidDefinition' && /^(?:\/|$)[^\n]*: \S/s.test(error.message);
    must(
      isFault || (error.code === 'Usage' && baseUrl !== undefined),
      'a fault names its place and says what is wrong',
    );
    return undefined;
  }
}

/** Written by hand, so that the parser's own list is not what it is checked with. */
const steers =
  /^(?:EDITOR|PAGER|VISUAL|PATH|HOME|PS\d|GIT_.*|NODE_OPTIONS|LD_.*|DYLD_.*|SSH_ASKPASS|PYTHON.*|npm_config_.*|.*_proxy|.*_base_url|authsome_.*)$/i;
const secretName = /_(?:TOKEN|KEY|SECRET|PAT|PASSWORD|CREDENTIALS)$/;

function check(provider: Provider, baseUrl: string | undefined): void {
  const { name, apiKey, client, exportVariables, document } = provider;
  const own = `${name.toUpperCase().replaceAll('-', '_')}_`;
  for (const variable of [apiKey?.envVar, ...exportVariables.map((each) => each.name)]) {
    if (variable === undefined) continue;
    must(secretName.test(variable) || variable.startsWith(own), `a variable outside the rule: ${variable}`);
    must(!steers.test(variable), `a variable that steers programs: ${variable}`);
  }
  for (const variable of [client.clientIdEnv, client.clientSecretEnv])
    must(variable === undefined || !steers.test(variable), `a setting of the system is read: ${variable}`);
  const phantom = phantomFor(provider, (size) => new Uint8Array(size).fill(7));
  must(/^[A-Za-z0-9_.:@+=-]+$/.test(phantom), 'a phantom of other characters');
  checkHosts(provider);
  checkPlaces(provider);
  if (document.allow_loopback === true) return;
  for (const { url } of asksOf(provider).endpoints) {
    const isNamed = baseUrl !== undefined && new URL(baseUrl).host === new URL(url).host;
    must(isNamed || !isThisMachine(new URL(url).hostname), 'an endpoint on this machine');
  }
}

/** Each place is one that a writer can fill without reading it in another way than the person who saw it. */
function checkPlaces({ inject }: Provider): void {
  for (const { placements, alternatives = [] } of inject) {
    for (const list of [placements, ...alternatives])
      must(list.length > 0 && list.length <= 8, 'a list of places of another length');
    for (const placement of [...placements, ...alternatives.flat()]) {
      if (placement.kind === 'path') {
        const reading = readPath(placement.template.replace('{secret}', 'x'));
        must(reading?.shape === 'plain', 'a path that servers read in different ways');
        must(placement.template.split('{secret}').length === 2, 'a path with more than one secret, or none');
      }
      if (placement.kind === 'body')
        must('pointer' in placement !== 'field' in placement, 'a body that is JSON and a form');
    }
  }
}

/** No pattern takes a host of somebody who has nothing to do with the definition. */
function checkHosts(provider: Provider): void {
  for (const { host, kind, expression } of provider.inject.flatMap((rule) => rule.hosts)) {
    const owner = registrableDomain(host);
    const foreign = [
      'stranger.test',
      `${host}.stranger.test`,
      `${host.replaceAll('.', '-')}.stranger.test`,
      // Anybody can register a name below a suffix that has no owner.
      ...(owner === undefined ? [`stranger.${host}`] : [`stranger${owner}`, `stranger-${owner}`]),
    ];
    for (const other of foreign) {
      const isMatched = kind === 'wildcard' ? other.endsWith(`.${host}`) : expression?.test(other) === true;
      must(!isMatched, `a pattern matches a foreign domain: ${other}`);
    }
  }
}
