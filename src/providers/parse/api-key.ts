import { phantomOfPattern } from '../phantom/index.ts';
import type { ApiKeyDefinition } from '../provider.ts';
import { at, type Fields, PointedFault, sentenceForm } from './fields.ts';
import { parseKeyPattern, parseKeyShapes } from './key-shapes.ts';
import { parseHeaderName, parseHeaderPrefix, parseQueryName } from './placements.ts';
import { settableFault } from './variables.ts';

/** The `api_key` block; `phantom` is the definition's own template, if it has one. */
export function parseApiKey(
  fields: Fields,
  { provider, phantom }: { readonly provider: string; readonly phantom: string | undefined },
): ApiKeyDefinition {
  const envVar = fields.text('env_var');
  const fault = envVar === undefined ? undefined : settableFault(envVar, provider);
  if (fault !== undefined) fields.fault('env_var', fault);
  const queryParam = parseQueryName(fields, 'query_param');
  const headerName =
    parseHeaderName(fields, 'header_name') ?? (queryParam === undefined ? 'Authorization' : undefined);
  const keyPattern = parseKeyPattern(fields);
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
  if (queryParam !== undefined && fields.has('alternatives'))
    fields.fault('alternatives', 'must not stand beside query_param');
  const shapes = parseKeyShapes(fields.objects('alternatives'), headerName, keyPattern);
  return {
    headerName,
    headerPrefix: headerName === undefined ? '' : parseHeaderPrefix(fields, 'header_prefix', headerName),
    queryParam,
    envVar,
    keyPattern,
    keyPatternHint: fields.text('key_pattern_hint', sentenceForm),
    shapes,
  };
}
