/** What authsome writes into a home, by directory; `''` is the home itself. Runs have directories of their own. */
const filesByDirectory: Readonly<Record<string, RegExp>> = {
  '': /^config\.json$/,
  providers: /^[a-z0-9][a-z0-9-]{0,62}\.json$/,
  identities: /^(current|[a-z0-9][a-z0-9._@-]{0,63}\.key)$/,
  server:
    /^((authsome\.db|daemon\.lock)(-wal|-shm|-journal)?|master\.key|daemon\.json|start\.lock|daemon\.key)$/,
  logs: /^(daemon\.log(\.\d+)?|audit-\d{12,}-\d{12,}\.jsonl)$/,
  backups: /^scan-[0-9TZ]+-[0-9a-f]{16}\.json$/,
  'sign-in': /^ses_[A-Za-z0-9_-]+\.html$/,
  known_daemons: /^[A-Za-z0-9._%-]+$/,
};
const runFile = /^(ca|bundle)\.pem$/;
const runDirectory = /^run_[A-Za-z0-9_-]+$/;

/** What a process that was killed leaves of a file that it was writing. */
const draft = /(\.[0-9a-f]{8,32})?\.new$/;

/** Whether authsome makes a directory at these names below a home. */
export function isKnownDirectory(names: readonly string[]): boolean {
  const [first = '', second] = names;
  if (names.length === 1) return first === 'runs' || (first !== '' && Object.hasOwn(filesByDirectory, first));
  return names.length === 2 && first === 'runs' && runDirectory.test(second ?? '');
}

/** Whether authsome makes a file of this name in that directory of a home. */
export function isKnownFile(directory: readonly string[], name: string): boolean {
  const finished = name.replace(draft, '');
  if (directory.length === 2) return isKnownDirectory(directory) && runFile.test(finished);
  const [only = ''] = directory;
  return directory.length < 2 && Object.hasOwn(filesByDirectory, only)
    ? (filesByDirectory[only]?.test(finished) ?? false)
    : false;
}
