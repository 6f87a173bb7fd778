import type { Assignment } from './assignment.ts';

/** The user and the password of `Basic` authentication, as base64 (RFC 7617 §2); `undefined` for what is none. */
function readBasic(encoded: string): { readonly user: string; readonly password: string } | undefined {
  const text = decodeBase64(encoded);
  const colon = text?.indexOf(':') ?? -1;
  if (text === undefined || colon < 0) return undefined;
  return { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** The password in a base64 value, and how another one is written in its place. */
export function readBasicSecret(encoded: string): Pick<Assignment, 'value' | 'spell'> | undefined {
  const basic = readBasic(encoded);
  if (basic === undefined) return undefined;
  return {
    value: basic.password,
    spell: (value) => Buffer.from(`${basic.user}:${value}`).toString('base64'),
  };
}

/** The text that base64 stands for; `undefined` for what is no base64, or no text. */
export function decodeBase64(encoded: string): string | undefined {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) return undefined;
  const bytes = Buffer.from(encoded, 'base64');
  const text = bytes.toString('utf8');
  return Buffer.compare(Buffer.from(text), bytes) === 0 ? text : undefined;
}
