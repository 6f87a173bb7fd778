/** The definitions that ship with authsome, unparsed. In a chunk of their own: only the daemon reads them. */
export async function loadBundled(): Promise<readonly unknown[]> {
  return (await import('./definitions/index.ts')).definitions;
}
