import { join } from 'node:path';
import type { Environment } from '../../environment.ts';
import type { Assignment } from '../syntax/index.ts';

/** Where the files of a person are. */
export interface Where {
  /** Absolute path of their home. */
  readonly home: string;
  readonly environment: Environment;
  readonly platform: NodeJS.Platform;
}

/** Reads one kind of file. Rewriting needs nothing of its own: each assignment says where its value stands. */
export interface Reader {
  /** A word for the kind: `gh`, `netrc`. Further connections are named by it. */
  readonly name: string;
  /** What a person starts to have the file used; left out where that is a program of theirs. */
  readonly program?: string;
  /** What does not work any more once the file has phantoms, as a sentence. */
  readonly caution?: string;
  /** Whether a file is of this kind, by its path with slashes. */
  readonly fits: (path: string) => boolean;
  /** Absolute paths where the tool keeps it. */
  readonly places: (where: Where) => readonly string[];
  /** `undefined` for a text that is not of the format. */
  readonly read: (text: string) => readonly Assignment[] | undefined;
  /** The format, for a person who has a file that is none. */
  readonly format?: string;
}

/** Whether a path ends in one of these: whole names, with slashes between them. */
export function endsIn(...tails: readonly string[]): (path: string) => boolean {
  return (path) => tails.some((tail) => path === tail || path.endsWith(`/${tail}`));
}

/** Files in the home. */
export function inHome({ home }: Where, ...names: readonly string[]): readonly string[] {
  return names.map((name) => join(home, name));
}

/** The file or directory that a variable names; `undefined` where it is unset or relative. */
export function named({ environment }: Where, variable: string): string | undefined {
  const value = environment[variable];
  return value?.startsWith('/') === true || /^[A-Za-z]:[\\/]/.test(value ?? '') ? value : undefined;
}

/** Where programs keep settings: `XDG_CONFIG_HOME`, or `~/.config`. */
export function configHome(where: Where): string {
  return named(where, 'XDG_CONFIG_HOME') ?? join(where.home, '.config');
}

/** Directories in which desktop programs keep settings: of the platform, and `APPDATA` where it is set. */
export function desktopHomes(where: Where): readonly string[] {
  const appData = named(where, 'APPDATA');
  return [
    ...(where.platform === 'darwin' ? [join(where.home, 'Library', 'Application Support')] : []),
    configHome(where),
    ...(appData === undefined ? [] : [appData]),
  ];
}

/** Whether a program puts something else here when it reads the file: `${TOKEN}`, `$TOKEN`, `${input:token}`. */
export function isReference(value: string): boolean {
  return /^\$[A-Za-z_{(]/.test(value) || /\$\{[^}]*\}/.test(value);
}
