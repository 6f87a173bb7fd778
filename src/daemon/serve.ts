/** What the process was started with. */
export interface ServeOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly version: string;
}

/** The exit code, once the daemon has stopped. */
export async function serveDaemon(_options: ServeOptions): Promise<number> {
  return 1;
}
