import type { InspectDocument } from '../../client/index.ts';

/** A text of a definition's section; `undefined` where there is none. */
export function textIn(
  document: InspectDocument | undefined,
  section: string,
  key: string,
): string | undefined {
  const part = document?.[section];
  if (typeof part !== 'object' || part === null) return undefined;
  const value = (part as Readonly<Record<string, unknown>>)[key];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
