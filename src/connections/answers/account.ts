import { parseJson } from '../../json.ts';
import type { CaptureDefinition } from '../../providers/index.ts';
import { claimsOf } from './jwt.ts';

/** Whose account it is, by a dotted path into the answer; a token on the way is read by its claims. */
export function accountIn({ account }: CaptureDefinition, body: string): string | undefined {
  if (account === undefined) return undefined;
  let value = parseJson(body);
  for (const name of account.split('.')) {
    const fields = typeof value === 'string' ? claimsOf(value) : value;
    if (typeof fields !== 'object' || fields === null || !Object.hasOwn(fields, name)) return undefined;
    value = (fields as Readonly<Record<string, unknown>>)[name];
  }
  return typeof value === 'string' && /^[^\p{Cc}\p{Cf}]{1,200}$/u.test(value) ? value : undefined;
}
