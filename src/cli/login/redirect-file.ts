import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { makePrivateDirectory, writePrivateFile } from '../../private-files/index.ts';

/** A page in the home that leads a browser on. Only its path is in the browser's arguments. */
export interface RedirectFile {
  /** `file:` */
  readonly url: string;
  /** Removes it; may be called again. */
  remove(): void;
}

/** A sign-in is over by then, so a file of this age was left by a command that was killed. */
const staleMs = 60 * 60_000;

/**
 * Writes the page (0600) that leads to `target`. A program's arguments can be read by every user of the machine, a file of
 * the home cannot. Throws HomeNotUsable or StorageFull.
 */
export function writeRedirectFile(home: string, name: string, target: string, nowMs: number): RedirectFile {
  const directory = join(home, 'sign-in');
  makePrivateDirectory(directory);
  removeStale(directory, nowMs);
  const path = join(directory, `${encodeURIComponent(name)}.html`);
  writePrivateFile(path, pageTo(target));
  return { url: pathToFileURL(path).href, remove: () => rmSync(path, { force: true }) };
}

function removeStale(directory: string, nowMs: number): void {
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    const changedMs = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? nowMs;
    if (nowMs - changedMs > staleMs) rmSync(path, { force: true });
  }
}

function pageTo(target: string): string {
  const url = target.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0; url=${url}">
<title>authsome</title>
</head>
<body><p><a href="${url}">Continue to sign in</a></p></body>
</html>
`;
}
