import type { Context } from 'hono';
import type { z } from 'zod';
import { AuthsomeError } from '../errors.ts';
import { jsonPointer } from '../json.ts';

const maxBodyBytes = 1024 * 1024;

/** The complete body. Throws `Usage` as soon as it is longer than `limit`, whatever its Content-Length says. */
export async function readBody(context: Context, limit = maxBodyBytes): Promise<Uint8Array> {
  const stream = context.req.raw.body;
  if (stream === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return Buffer.concat(chunks);
    size += value.byteLength;
    if (size > limit) {
      await reader.cancel();
      // The rest of the body is still on the wire, so no further request can be read from this connection.
      context.header('Connection', 'close');
      throw new AuthsomeError('Usage', `the request body is longer than ${limit} bytes`);
    }
    chunks.push(value);
  }
}

/**
 * The JSON in `body`, parsed by `schema`. Throws `Usage` with the JSON pointer of a field that does not fit. What was sent is
 * never quoted, since it may be a secret.
 */
export function parseBody<Schema extends z.ZodType>(body: Uint8Array, schema: Schema): z.output<Schema> {
  let document: unknown;
  try {
    document = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw new AuthsomeError('Usage', 'the request body is not JSON');
  }
  const result = schema.safeParse(document);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const pointer = jsonPointer(issue?.path ?? []);
  const expected = issue !== undefined && 'expected' in issue ? ` (expected ${String(issue.expected)})` : '';
  throw new AuthsomeError(
    'Usage',
    `the request body is invalid at ${pointer === '' ? 'its root' : pointer}${expected}`,
  );
}
