import { join } from 'node:path';
import { type Assignment, lineCounter } from '../syntax/index.ts';
import { configHome, endsIn, named, type Reader } from './reader.ts';

const entry = /^[ \t]+oauth_token:[ \t]+(["']?)([^"'#\s]+)\1[ \t]*(?:#.*)?$/;

/** The `hosts.yml` of GitHub's command line. It is there only where no keychain was, when somebody signed in. */
export const gh: Reader = {
  name: 'gh',
  program: 'gh',
  fits: endsIn('gh/hosts.yml', 'GitHub CLI/hosts.yml'),
  places: (where) => {
    const appData = named(where, 'APPDATA');
    const directories = [
      named(where, 'GH_CONFIG_DIR') ?? join(configHome(where), 'gh'),
      ...(appData === undefined ? [] : [join(appData, 'GitHub CLI')]),
    ];
    return directories.map((directory) => join(directory, 'hosts.yml'));
  },
  read: (text) => {
    const found: Assignment[] = [];
    const lineOf = lineCounter(text);
    let host: string | undefined;
    for (const { 0: raw, index } of text.matchAll(/[^\r\n]+/g)) {
      const top = /^\ufeff?["']?([A-Za-z0-9.-]+)["']?:/.exec(raw)?.[1];
      if (top !== undefined) host = top.toLowerCase();
      const match = entry.exec(raw);
      const value = match?.[2];
      if (value === undefined) continue;
      const start = index + raw.indexOf(value, raw.indexOf('oauth_token:') + 'oauth_token:'.length);
      found.push({
        name: 'oauth_token',
        value,
        line: lineOf(index),
        start,
        end: start + value.length,
        isReference: false,
        isSecret: true,
        section: String(index),
        host,
      });
    }
    return found;
  },
};
