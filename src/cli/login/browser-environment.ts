import { readFileSync } from 'node:fs';
import type { Environment } from '../../environment.ts';
import { isLoopbackHost } from '../../loopback.ts';

/** What this environment offers to show a page to the person at the terminal. */
export interface BrowserEnvironment {
  /** Command lines to try in this order, each a program and its arguments; empty where a browser must not be started. */
  readonly browsers: readonly (readonly string[])[];
  /** Why there is none, as the beginning of a sentence. */
  readonly reason: string | undefined;
}

/**
 * Ways to open `url` here. `BROWSER` wins wherever it is set, as in Python's `webbrowser`: a list separated like PATH,
 * `%s` replaced by the URL, which is the last argument otherwise. Without it, a browser needs a display, and over SSH it would open on
 * the wrong machine. Nothing goes through a shell.
 */
export function browserEnvironment(
  url: string,
  environment: Environment,
  platform: NodeJS.Platform,
  kernel: string = kernelName(platform),
): BrowserEnvironment {
  const named = (environment.BROWSER ?? '').trim();
  if (named !== '') return { browsers: browserList(named, url, platform), reason: undefined };
  if (isSet(environment.SSH_CONNECTION) || isSet(environment.SSH_TTY) || isSet(environment.SSH_CLIENT)) {
    return { browsers: [], reason: 'This is an SSH session' };
  }
  if (platform === 'darwin') return { browsers: [['open', url]], reason: undefined };
  // No shell reads the URL: rundll32 passes it unmodified to the default browser.
  const windows = ['rundll32.exe', 'url.dll,FileProtocolHandler', url];
  if (platform === 'win32') return { browsers: [windows], reason: undefined };
  const isWsl = /microsoft/i.test(kernel) && isSet(environment.WSL_DISTRO_NAME);
  if (isWsl) return { browsers: [['wslview', url], windows], reason: undefined };
  if (!isSet(environment.DISPLAY) && !isSet(environment.WAYLAND_DISPLAY)) {
    return { browsers: [], reason: 'No display found (DISPLAY and WAYLAND_DISPLAY are not set)' };
  }
  const openers = ['xdg-open', 'sensible-browser', 'x-www-browser', 'firefox', 'chromium', 'google-chrome'];
  return { browsers: openers.map((program) => [program, url]), reason: undefined };
}

/** Whether a browser may open `url`: only https, or a page on this machine. */
export function isOpenable(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || (protocol === 'http:' && isLoopbackHost(hostname));
}

/** Whether the terminal turns OSC 8 into a link; those that do not know it may print it. */
export function showsLinks(environment: Environment): boolean {
  const { TERM = '', TERM_PROGRAM = '', VTE_VERSION = '' } = environment;
  if (TERM === 'dumb' || isSet(environment.CI)) return false;
  if (['iTerm.app', 'WezTerm', 'vscode', 'ghostty', 'Hyper', 'Tabby', 'rio'].includes(TERM_PROGRAM))
    return true;
  if (isSet(environment.WT_SESSION) || isSet(environment.KONSOLE_VERSION)) return true;
  return Number(VTE_VERSION) >= 5000 || /kitty|alacritty|foot|ghostty|wezterm/.test(TERM);
}

function browserList(named: string, url: string, platform: NodeJS.Platform): readonly (readonly string[])[] {
  const commands = named.split(platform === 'win32' ? ';' : ':').map((command) => splitWords(command));
  return commands
    .map((words) => (words.at(-1) === '&' ? words.slice(0, -1) : words))
    .filter((words) => words.length > 0)
    .map((words) => {
      const takesUrl = words.some((word) => word.includes('%s'));
      return takesUrl ? words.map((word) => word.replaceAll('%s', () => url)) : [...words, url];
    });
}

/** The words of a command line as a shell would split them: quotes and backslashes, nothing else. */
function splitWords(line: string): readonly string[] {
  const words = line.match(/(?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s"'\\])+/g) ?? [];
  return words.map((word) =>
    word.replace(/"((?:\\.|[^"\\])*)"|'([^']*)'|\\(.)/g, (_, double, single, escaped) =>
      double === undefined ? (single ?? escaped) : double.replace(/\\(["\\$`])/g, '$1'),
    ),
  );
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== '';
}

function kernelName(platform: NodeJS.Platform): string {
  if (platform !== 'linux') return '';
  try {
    return readFileSync('/proc/sys/kernel/osrelease', 'utf8');
  } catch {
    return '';
  }
}
