import { closeSync, fstatSync, readSync, statSync } from 'node:fs';
import { shellWord } from '../../command-line.ts';
import { AuthsomeError, systemReason } from '../../errors.ts';
import { parseRunDefaults, type RunDefaults, runDefaultKeys } from '../../settings.ts';
import { closest } from '../../suggestion.ts';
import type { OpenProjectFile } from './project-file.ts';

/** What a project's `.authsome.json` says. It may only narrow a run. */
export interface Project {
  readonly path: string;
  readonly defaults: RunDefaults;
}

const mostBytes = 64 * 1024;

/**
 * Reads an open `.authsome.json`; `undefined` for one that belongs to another user, or lies above a directory that does: a
 * stranger does not say what a run has. Throws `Usage` for what is not a file of a sane size with JSON in it.
 */
export function readProject(
  { path, descriptor, below }: OpenProjectFile,
  self: number | undefined,
): Project | undefined {
  try {
    const stats = fstatSync(descriptor);
    const isOwn = (uid: number): boolean => self === undefined || uid === self;
    // The administrator's own is trusted like the system is.
    if (!isOwn(stats.uid) && stats.uid !== 0) return undefined;
    if (!below.every((directory) => isOwn(statSync(directory).uid))) return undefined;
    if (!stats.isFile()) throw unusable(path, 'is not a file');
    if (stats.size > mostBytes) throw unusable(path, `is larger than ${mostBytes} bytes`);
    const buffer = Buffer.alloc(mostBytes + 1);
    const text = buffer.toString('utf8', 0, readSync(descriptor, buffer, 0, buffer.length, 0));
    return {
      path,
      defaults: parseRunDefaults(parsed(text, path), (key) => `${key.slice(1) || 'all'} in ${path}`),
    };
  } finally {
    closeSync(descriptor);
  }
}

/** For one that is there and cannot be opened. */
export function notOpened(error: unknown): AuthsomeError {
  const { path = '.authsome.json', code } = error as NodeJS.ErrnoException;
  const isLink = code === 'ELOOP' || code === 'EMLINK';
  return unusable(
    path,
    isLink ? 'is a link, which is not followed' : `cannot be read: ${systemReason(error)}`,
  );
}

function unusable(path: string, what: string): AuthsomeError {
  return new AuthsomeError('Usage', `${path} ${what}`, {
    hint: `Check what it is, and move it away: ls -ld ${shellWord(path)}`,
  });
}

function parsed(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // The message quotes the text, which is nobody's business here.
    const position = Number(/position (\d+)/.exec((error as Error).message)?.[1] ?? text.length);
    const lines = text.slice(0, position).split('\n');
    const place = `line ${lines.length}, column ${(lines.at(-1)?.length ?? 0) + 1}`;
    throw new AuthsomeError('Usage', `${path} is not JSON (${place})`, {
      hint: 'Correct it there, or move the file away.',
    });
  }
}

/** What a person should know of the defaults, a line each: what has no effect, and what nothing reads. */
export function defaultsNotes({ withoutEffect, unknown }: RunDefaults, where: string): readonly string[] {
  return [
    ...(withoutEffect.length === 0
      ? []
      : [
          `authsome: this version does not have ${withoutEffect.join(', ')}, so what ${where} says of it is not done.`,
        ]),
    ...unknown.map((key) => {
      const meant = closest(key, [...runDefaultKeys]);
      const guess = meant === undefined ? '' : ` Did you mean ${meant}?`;
      return `authsome: nothing reads ${key} in ${where}.${guess}`;
    }),
  ];
}

/** What the file asks for that the run would not have without it. */
export function notGivenNotes(path: string, notGiven: readonly string[]): readonly string[] {
  if (notGiven.length === 0) return [];
  const options = notGiven.map((key) => `--connection ${shellWord(key.replace('/', '='))}`).join(' ');
  return [
    `authsome: ${path} asks for ${notGiven.join(', ')}, which your own default does not have. It may only narrow, so this is not given. You can give it with: ${options}`,
  ];
}
