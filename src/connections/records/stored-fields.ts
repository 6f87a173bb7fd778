/** The entries that have a value: a stored record has no others. */
export function withoutUndefined(value: object): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined));
}
