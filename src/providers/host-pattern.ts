import { Fault } from './fault.ts';
import { canonicalHost, canonicalTarget, isAddress, registrableDomain } from './host.ts';
import { readPath } from './path.ts';
import { compilePattern, type Pattern, parsePattern } from './pattern.ts';

/** A compiled host pattern with optional port and path prefix. Hosts are lower case, no trailing dot. */
export interface HostPattern {
  /** As written in the definition. One with other letters than ASCII is in punycode: it could look like another host. */
  readonly text: string;
  readonly kind: 'exact' | 'wildcard' | 'regex';
  /** exact: the host; wildcard: the suffix after `*.`; regex: the registrable suffix that every match ends in. */
  readonly host: string;
  /** regex only: anchored at both ends. */
  readonly expression: RegExp | undefined;
  readonly port: number;
  /** Canonical, begins with `/`; `/` matches everything. Compared segment by segment. */
  readonly pathPrefix: string;
}

const httpsPort = 443;

/**
 * A compiled pattern from `host`, `host:port`, either with a path prefix or written as an https URL, `*.domain` (any
 * depth below it, not the domain itself) or `regex:^…$`. Throws a Fault for a malformed pattern, and for one that could match
 * a domain of somebody else.
 */
export function parseHostPattern(text: string): HostPattern {
  if (text.startsWith('regex:')) return parseRegex(text);
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(text);
  if (scheme !== null && scheme[1]?.toLowerCase() !== 'https') {
    throw new Fault('must be an https URL: a credential is never sent without TLS');
  }
  const rest = scheme === null ? text : text.slice(scheme[0].length);
  const slash = rest.indexOf('/');
  const authority = slash === -1 ? rest : rest.slice(0, slash);
  const pathPrefix = parsePathPrefix(slash === -1 ? '/' : rest.slice(slash));
  const isWildcard = authority.startsWith('*.');
  const target = canonicalTarget(isWildcard ? authority.slice(2) : authority, httpsPort);
  if (target === undefined) throw new Fault(`must name one host, not ${JSON.stringify(authority)}`);
  if (isWildcard) assertOwned(target.host, text);
  return {
    text: /^[\x21-\x7e]*$/.test(text) ? text : asciiText({ ...target, isWildcard, pathPrefix }),
    kind: isWildcard ? 'wildcard' : 'exact',
    host: target.host,
    expression: undefined,
    port: target.port,
    pathPrefix,
  };
}

function asciiText(
  place: Pick<HostPattern, 'host' | 'port' | 'pathPrefix'> & { readonly isWildcard: boolean },
): string {
  const { host, port, pathPrefix, isWildcard } = place;
  const authority = `${isWildcard ? '*.' : ''}${host}${port === httpsPort ? '' : `:${port}`}`;
  return pathPrefix === '/' ? authority : authority + pathPrefix;
}

function parsePathPrefix(path: string): string {
  const reading = readPath(path);
  if (reading?.shape !== 'plain' || !/^[A-Za-z0-9._~!$&'()+,;=:@/-]*$/.test(path)) {
    throw new Fault('must have a path prefix of plain segments, without *, %, ?, #, // or dot segments');
  }
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}

function assertOwned(suffix: string, text: string): void {
  if (isAddress(suffix)) throw new Fault('must not put a wildcard before an address');
  if (registrableDomain(suffix) !== undefined) return;
  throw new Fault(
    `must not match somebody else's domain: anybody can register a name below ${suffix} (in ${text})`,
  );
}

function parseRegex(text: string): HostPattern {
  const source = text.slice('regex:'.length);
  if (!source.startsWith('^') || !source.endsWith('$')) throw new Fault(looseRegex);
  const suffix = fixedSuffix(flatten(parsePattern(source)));
  const host = suffix === undefined ? undefined : registrableDomain(suffix);
  if (host === undefined) throw new Fault(looseRegex);
  return { text, kind: 'regex', host, expression: compilePattern(source), port: httpsPort, pathPrefix: '/' };
}

const looseRegex =
  "must not match somebody else's domain: every match must end in one literal domain with a single owner, after a dot or at the start, as in regex:^([a-z0-9-]+\\.)*example\\.com$";

/**
 * The host name that every match ends in, as whole labels: the literal characters at the pattern's end, from the
 * first place that is certain to begin a label.
 */
function fixedSuffix(parts: readonly Pattern[]): string | undefined {
  let start = parts.length;
  let literal = '';
  for (
    let part = parts[start - 1];
    part?.kind === 'set' && part.chars.length === 1;
    part = parts[start - 1]
  ) {
    literal = part.chars + literal;
    start -= 1;
  }
  if (!endsAtBoundary(parts.slice(0, start))) {
    const dot = literal.indexOf('.');
    if (dot === -1) return undefined;
    literal = literal.slice(dot + 1);
  } else if (literal.startsWith('.')) {
    literal = literal.slice(1);
  }
  return canonicalHost(literal) === literal ? literal : undefined;
}

/** Whether everything that these parts match is empty or ends in a dot. */
function endsAtBoundary(parts: readonly Pattern[]): boolean {
  const last = parts.at(-1);
  if (last === undefined) return true;
  const before = parts.slice(0, -1);
  switch (last.kind) {
    case 'set':
      return last.chars === '.';
    case 'sequence':
      return endsAtBoundary([...before, ...last.parts]);
    case 'choice':
      return last.options.every((option) => endsAtBoundary([...before, option]));
    case 'repeat':
      return (last.min > 0 || endsAtBoundary(before)) && endsInDot(last.part);
  }
}

function endsInDot(pattern: Pattern): boolean {
  switch (pattern.kind) {
    case 'set':
      return pattern.chars === '.';
    case 'sequence': {
      const last = pattern.parts.at(-1);
      return last !== undefined && endsInDot(last);
    }
    case 'choice':
      return pattern.options.every(endsInDot);
    case 'repeat':
      return pattern.min > 0 && endsInDot(pattern.part);
  }
}

function flatten(pattern: Pattern): readonly Pattern[] {
  return pattern.kind === 'sequence' ? pattern.parts.flatMap(flatten) : [pattern];
}
