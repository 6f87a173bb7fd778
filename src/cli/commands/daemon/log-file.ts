import { open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { CommandContext } from '../../context.ts';

export interface LogFileOptions {
  readonly file: string;
  readonly lines: number;
  readonly follow: boolean;
}

const tailBytes = 1024 * 1024;
const pollMs = 250;

/**
 * Prints the last lines of a log file unmodified; with `follow`, also the lines added from then on. Under `--json` the last
 * lines are one document. With `follow` each line is a document of its own.
 */
export async function showLogFile(context: CommandContext, options: LogFileOptions): Promise<void> {
  const { terminal } = context;
  const first = await readFrom(options.file, undefined);
  const all = (first?.text ?? '').split('\n').filter((line) => line !== '');
  const lines = all.slice(-options.lines);
  if (terminal.json && !options.follow) {
    terminal.document({ v: 1, lines: lines.map(parsedLine) });
    return;
  }
  if (first === undefined && !options.follow) {
    terminal.note(`No log yet: ${options.file}`);
    return;
  }
  for (const line of lines) terminal.print(line);
  let end = first?.end ?? 0;
  let rest = '';
  while (options.follow) {
    await delay(pollMs);
    const more = await readFrom(options.file, end);
    if (more === undefined) continue;
    // The file that is full now may have got more lines since the last read.
    const missed = more.start < end ? await readFrom(`${options.file}.1`, end) : undefined;
    end = more.end;
    const pieces = (rest + (missed?.text ?? '') + more.text).split('\n');
    rest = pieces.pop() ?? '';
    for (const line of pieces) terminal.print(line);
  }
}

/** The JSON value of a line; a line that is not JSON, such as a crash writes, as text. */
function parsedLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return line;
  }
}

/** The text from `start`, or the file's last part; `undefined` when there is no such file. */
async function readFrom(
  file: string,
  start: number | undefined,
): Promise<{ readonly text: string; readonly start: number; readonly end: number } | undefined> {
  const handle = await open(file, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (handle === undefined) return undefined;
  try {
    const { size } = await handle.stat();
    // A file that shrank was rotated: what is in it now is all new.
    const from = start === undefined ? Math.max(0, size - tailBytes) : start > size ? 0 : start;
    const bytes = Buffer.alloc(size - from);
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, from);
    return { text: bytes.toString('utf8', 0, bytesRead), start: from, end: from + bytesRead };
  } finally {
    await handle.close();
  }
}
