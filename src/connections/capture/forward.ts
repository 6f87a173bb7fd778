import type { Reply } from '../../oauth/index.ts';
import type { ConnectionsOptions } from '../contract.ts';
import { fetchTo } from '../discovery/index.ts';
import type { ProgramAnswer, ProgramRequest } from './contract.ts';

/** The service's answer, read to its end. */
export interface Forwarded {
  readonly reply: Reply;
  readonly headers: ProgramAnswer['headers'];
}

/** They are about the connection or the coding, which is another one here. */
const ownToUs = new Set([
  'accept-encoding',
  'content-length',
  'expect',
  'host',
  'connection',
  'te',
  'trailer',
]);
const changed = new Set([
  ...[
    'accept-ranges',
    'connection',
    'content-digest',
    'content-md5',
    'digest',
    'etag',
    'keep-alive',
    'repr-digest',
  ],
  ...['alt-svc', 'trailer', 'transfer-encoding', 'upgrade'],
]);

/** Sends the program's request to the service as it is. Rejects with EndpointUnreachable. */
export async function forward(
  options: Pick<ConnectionsOptions, 'fetchFor'>,
  { route, query, headers, body }: ProgramRequest,
): Promise<Forwarded> {
  const fetch = fetchTo(options, { namedHost: undefined });
  const response = await fetch(`${route.endpoint.url}${query}`, {
    method: 'POST',
    redirect: 'manual',
    headers: headers.filter(([name]) => !ownToUs.has(name)).map(([name, value]) => [name, value]),
    body: Buffer.from(body),
  });
  const contentType = response.headers.get('content-type') ?? '';
  return {
    reply: {
      status: response.status,
      contentType: contentType.split(';', 1)[0]?.trim().toLowerCase() ?? '',
      body: await response.text(),
    },
    // An agent may act on our own fields, so a service must not set them.
    headers: [...response.headers].filter(([name]) => !changed.has(name) && !name.startsWith('authsome-')),
  };
}

/** The service's answer as it came. */
export function unmodified({ reply, headers }: Forwarded): ProgramAnswer {
  return { status: reply.status, headers, body: Buffer.from(reply.body) };
}
