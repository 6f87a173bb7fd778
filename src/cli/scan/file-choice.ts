import { lstatSync, readdirSync } from 'node:fs';
import { basename, isAbsolute, join, resolve } from 'node:path';
import { AuthsomeError, systemReason } from '../../errors.ts';

export interface ChosenFile {
  /** As a person would name it: relative where they were. */
  readonly shown: string;
  /** Absolute. */
  readonly path: string;
  /** Whether somebody named this very file: then it must be readable. */
  readonly isNamed: boolean;
  readonly syntax: 'env' | 'shell';
}

/** The `.env*` files of the directories among `named` (of `directory` when nothing is named), and the files among them. */
export function chooseFiles(named: readonly string[], directory: string): readonly ChosenFile[] {
  const chosen =
    named.length === 0 ? inDirectory('', directory) : named.flatMap((name) => choose(name, directory));
  const seen = new Set<string>();
  return chosen.filter(({ path }) => !seen.has(path) && seen.add(path));
}

function choose(name: string, directory: string): readonly ChosenFile[] {
  const path = isAbsolute(name) ? name : resolve(directory, name);
  if (isDirectory(path)) return inDirectory(name, path);
  return [{ shown: name, path, isNamed: true, syntax: syntaxOf(path) }];
}

function inDirectory(shown: string, path: string): readonly ChosenFile[] {
  let names: readonly string[];
  try {
    names = readdirSync(path);
  } catch (error) {
    throw new AuthsomeError('Usage', `${path} cannot be listed: ${systemReason(error)}`, {
      cause: error,
    });
  }
  return names
    .filter((name) => name.startsWith('.env') && !isDirectory(join(path, name)))
    .sort()
    .map((name) => ({
      shown: join(shown, name),
      path: join(path, name),
      isNamed: false,
      syntax: syntaxOf(name),
    }));
}

/** Shell scripts by their usual names, `.envrc` of direnv among them; anything else is taken for `NAME=value` lines. */
function syntaxOf(path: string): ChosenFile['syntax'] {
  const name = basename(path);
  const isShell =
    /\.(?:sh|bash|zsh|ksh|fish)$/.test(name) ||
    /^[._]?(?:bash_?|zsh|z|ksh|mksh|csh|tcsh|sh)?(?:rc|env|profile|login|logout|aliases)$/.test(name) ||
    /^\.envrc(?:\..+)?$/.test(name);
  return isShell && !/^\.?env$/.test(name) ? 'shell' : 'env';
}

function isDirectory(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
