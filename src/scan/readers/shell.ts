import { basename } from 'node:path';
import { parseShellFile } from '../syntax/index.ts';
import { inHome, type Reader } from './reader.ts';

/** Shell scripts, by their usual names: `.envrc` of direnv is one. */
export const shell: Reader = {
  name: 'shell',
  fits: (path) => {
    const name = basename(path);
    const isShell =
      /\.(?:sh|bash|zsh|ksh|fish)$/.test(name) ||
      /^[._]?(?:bash_?|zsh|z|ksh|mksh|csh|tcsh|sh)?(?:rc|env|profile|login|logout|aliases)$/.test(name) ||
      /^\.envrc(?:\..+)?$/.test(name);
    return isShell && !/^\.?env$/.test(name);
  },
  places: (where) =>
    inHome(
      where,
      '.profile',
      '.bash_profile',
      '.bash_login',
      '.bashrc',
      '.bash_aliases',
      '.zprofile',
      '.zshenv',
      '.zshrc',
      '.zlogin',
      '.envrc',
    ),
  read: parseShellFile,
};
