import type { Context } from 'hono';
import type { z } from 'zod';
import { AuthsomeError } from '../errors.ts';
import { jsonPointer } from '../json.ts';

const maxBodyBytes = 1024 * 1024;

/** The whole body; `Usage` as soon as it is longer than `limit`, whatever its Content-Length says. */
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
      // The rest of it is on the wire: nothing after it on this connection would be read as what it is.
      context.header('Connection', 'close');
      throw new AuthsomeError('Usage', `the request body is longer than ${limit} bytes`);
    }
    chunks.push(value);
  }
}

/**
 * `body` as JSON that fits `schema`; `Usage` with the JSON pointer of the field that does not. What was sent is never
 * quoted: it may be a secret.
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
    `the request body is not as it should be at ${pointer === '' ? 'its root' : pointer}${expected}`,
  );
}
