import { join } from 'node:path';
import { type Assignment, type JsonString, readBasicSecret, readJsonStrings } from '../syntax/index.ts';
import { desktopHomes, endsIn, inHome, isReference, named, type Reader } from './reader.ts';

const lists = ['mcpServers', 'servers', 'context_servers'];
const scheme = /^(?:Bearer|Basic|Token|token|ApiKey)[ \t]+/;
const sensitive = /auth|key|token|secret|password|credential/i;

/** What clients of MCP servers are told about them: their environment, and the headers of their requests. */
export const mcp: Reader = {
  name: 'mcp',
  format: 'JSON',
  fits: endsIn(
    '.mcp.json',
    'mcp.json',
    'claude_desktop_config.json',
    'mcp_config.json',
    '.claude.json',
    '.gemini/settings.json',
    '.copilot/mcp-config.json',
    '.vscode/settings.json',
    'Code/User/settings.json',
  ),
  places: (where) => {
    const claude = named(where, 'CLAUDE_CONFIG_DIR');
    return [
      ...desktopHomes(where).flatMap((directory) => [
        join(directory, 'Claude', 'claude_desktop_config.json'),
        join(directory, 'Code', 'User', 'mcp.json'),
        join(directory, 'Code', 'User', 'settings.json'),
      ]),
      claude === undefined ? join(where.home, '.claude.json') : join(claude, '.claude.json'),
      ...inHome(
        where,
        '.cursor/mcp.json',
        '.mcp.json',
        '.codeium/windsurf/mcp_config.json',
        '.gemini/settings.json',
        '.copilot/mcp-config.json',
      ),
    ];
  },
  read: (text) => {
    const strings = readJsonStrings(text);
    return strings?.flatMap((string) => {
      const { path } = string;
      const at = path.findLastIndex((key, index) => lists.includes(key) && index === path.length - 4);
      if (at < 0) return [];
      const [kind, name = ''] = path.slice(-2);
      if (kind === 'env') return [inEnvironment(string, name)];
      if (kind !== 'headers' || !sensitive.test(name)) return [];
      return [inHeader(string, name, hostOf(path.slice(0, -2), strings))];
    });
  },
};

function inEnvironment({ path, value, line, start, end }: JsonString, name: string): Assignment {
  return { name, value, line, start, end, isReference: isReference(value), section: path.join('/') };
}

/** The part after `Bearer `. */
function inHeader(string: JsonString, name: string, host: string | undefined): Assignment {
  const { path, line, end } = string;
  const prefix = scheme.exec(string.value)?.[0] ?? '';
  const written = string.value.slice(prefix.length);
  const basic = prefix.startsWith('Basic') ? readBasicSecret(written) : undefined;
  return {
    name,
    ...(basic ?? { value: written }),
    line,
    start: string.start + prefix.length,
    end,
    isReference: isReference(written),
    isSecret: true,
    section: path.join('/'),
    host,
  };
}

function hostOf(server: readonly string[], strings: readonly JsonString[]): string | undefined {
  const prefix = server.join('/');
  const address = strings.find(
    ({ path }) =>
      path.length === server.length + 1 &&
      ['url', 'httpUrl', 'serverUrl'].includes(path.at(-1) ?? '') &&
      path.slice(0, -1).join('/') === prefix,
  );
  return /^https?:\/\/(?:[^/@]*@)?([^/:]+)/.exec(address?.value ?? '')?.[1]?.toLowerCase();
}
