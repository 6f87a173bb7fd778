/** What the process was started with. */
export interface CliOptions {
  readonly args: readonly string[];
  /** Path of the running program: what to start as `<node> <entry> daemon serve`. */
  readonly entry: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly version: string;
}

/** The exit code of the command that `args` name. */
export async function runCli(options: CliOptions): Promise<number> {
  if (options.args[0] === '--version') {
    process.stdout.write(`${options.version}\n`);
    return 0;
  }
  return 2;
}
