import { describe, expect, it } from 'vitest';
import { browserEnvironment, isOpenable, showsLinks } from './browser-environment.ts';

const url = 'https://example.com/authorize?a=1&b=$(id)';
const browsers = (environment: Record<string, string>, platform: NodeJS.Platform = 'linux', kernel = '') =>
  browserEnvironment(url, environment, platform, kernel).browsers;

describe('the browser to open', () => {
  it('is the one in BROWSER, even without a display and over SSH', () => {
    const ssh = { SSH_CONNECTION: '1.2.3.4', BROWSER: 'w3m' };
    expect(browsers(ssh)).toEqual([['w3m', url]]);
  });

  it('may be a list, with %s, quotes and a background mark, and never meets a shell', () => {
    const BROWSER = `firefox:"/opt/my browser/b" --new '%s' &:`;
    expect(browsers({ BROWSER })).toEqual([
      ['firefox', url],
      ['/opt/my browser/b', '--new', url],
    ]);
  });

  it('is none over SSH, nor without a display, and it is said why', () => {
    expect(browserEnvironment(url, { SSH_TTY: '/dev/pts/1', DISPLAY: ':0' }, 'linux', '')).toEqual({
      browsers: [],
      reason: 'This is an SSH session',
    });
    expect(browserEnvironment(url, {}, 'linux', '').reason).toMatch(/No display/);
  });

  it('is none in a container, which has the kernel of its host but not its desktop', () => {
    expect(browsers({}, 'linux', '5.15-microsoft-standard')).toEqual([]);
    expect(browsers({ WSL_DISTRO_NAME: '' }, 'linux', '5.15-microsoft-standard')).toEqual([]);
  });

  it('is none over SSH on any platform', () => {
    const wsl = { SSH_CLIENT: '192.0.2.1 5 22', WSL_DISTRO_NAME: 'Debian', DISPLAY: ':0' };
    expect(browsers(wsl, 'linux', '5.15-microsoft-standard')).toEqual([]);
    expect(browsers({ SSH_CONNECTION: '192.0.2.1' }, 'darwin')).toEqual([]);
    expect(browsers({ SSH_CONNECTION: '192.0.2.1' }, 'win32')).toEqual([]);
  });

  it('is the platform’s where there is a display', () => {
    expect(browsers({ WAYLAND_DISPLAY: 'wayland-0' })[0]).toEqual(['xdg-open', url]);
    expect(browsers({}, 'darwin')).toEqual([['open', url]]);
    expect(browsers({}, 'win32')[0]?.[0]).toBe('rundll32.exe');
    expect(browsers({ WSL_DISTRO_NAME: 'Debian' }, 'linux', '5.15-microsoft-standard')[0]).toEqual([
      'wslview',
      url,
    ]);
  });
});

it('only https and pages of this machine are opened', () => {
  const openable = [
    'https://github.com/login',
    'http://127.0.0.1:7998/x',
    'http://[::1]:1/',
    'http://localhost/',
  ];
  const refused = [
    'http://example.com/',
    'file:///etc/passwd',
    'javascript:alert(1)',
    '-x',
    'http://127.0.0.1.evil.example/',
  ];
  expect(openable.filter((text) => !isOpenable(text))).toEqual([]);
  expect(refused.filter(isOpenable)).toEqual([]);
});

it('links are written only for terminals that show them', () => {
  expect(showsLinks({ TERM_PROGRAM: 'WezTerm' })).toBe(true);
  expect(showsLinks({ VTE_VERSION: '6800' })).toBe(true);
  expect(showsLinks({ TERM: 'xterm-256color' })).toBe(false);
  expect(showsLinks({ TERM_PROGRAM: 'WezTerm', CI: 'true' })).toBe(false);
});
