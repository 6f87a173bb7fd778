import type { ProgramRequest } from './contract.ts';
import type { TokenParameters } from './token-parameters.ts';

/**
 * Whose request it is, where several programs use the endpoint: the captured program's, another one's, or a request that a
 * service may take for the captured program's although it does not say so as the definition has it.
 */
export function senderOf(
  request: ProgramRequest,
  params: TokenParameters | undefined,
): 'own' | 'another' | 'unclear' {
  const { clientIds } = request.route.capture;
  if (clientIds.length === 0 || clientIds.includes(params?.get('client_id') ?? '')) return 'own';
  return isReadable(request) && !namesAny(request, clientIds) ? 'another' : 'unclear';
}

const readable = new Set(['application/json', 'application/x-www-form-urlencoded']);

/** Whether the body can name no client but in plain sight. */
function isReadable({ headers, body }: ProgramRequest): boolean {
  if (body.length === 0) return true;
  const valuesOf = (name: string): readonly string[] =>
    headers.flatMap(([each, value]) => (each === name ? value : []));
  const [media = '', ...others] = valuesOf('content-type').map((type) => type.split(';', 1)[0] ?? '');
  if (others.length > 0 || valuesOf('content-encoding').length > 0) return false;
  return readable.has(media.trim().toLowerCase());
}

/** Whether one of the clients is anywhere in the request: services read the query and Basic (RFC 6749 §2.3.1), too. */
function namesAny({ headers, query, body }: ProgramRequest, clientIds: readonly string[]): boolean {
  const values = headers.flatMap(([, value]) => [value, inBasic(value)]);
  const texts = [query, Buffer.from(body).toString('utf8'), ...values].map(loosely);
  return clientIds.some((id) => texts.some((text) => text.includes(loosely(id))));
}

function inBasic(value: string): string {
  const [, encoded = ''] = /^basic +(\S+)/i.exec(value) ?? [];
  return Buffer.from(encoded, 'base64').toString('utf8');
}

/** One spelling for all that some service reads as the same text: escapes of URLs and of JSON, case, UTF-16. */
function loosely(text: string): string {
  let plain = text.replaceAll('\0', '');
  for (let round = 0; round < 3; round += 1) {
    plain = plain.replace(/%([0-9a-f]{2})|\\u00([0-9a-f]{2})|\\(\/)/gi, (_, inUrl, inJson, slash) =>
      slash === undefined ? String.fromCharCode(Number.parseInt(inUrl ?? inJson, 16)) : slash,
    );
  }
  return plain.replaceAll('\0', '').toLowerCase();
}
