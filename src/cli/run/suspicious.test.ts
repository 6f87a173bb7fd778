import { expect, it } from 'vitest';
import { suspiciousValues } from './suspicious.ts';

const namesIn = (environment: Record<string, string>) => [...suspiciousValues(environment).keys()];

it('finds nothing in what a shell and a desktop set', () => {
  const environment = {
    PATH: '/usr/local/bin:/usr/bin',
    HOME: '/home/a1',
    PWD: '/home/a1/Work2',
    SHELL: '/bin/bash',
    TERM: 'xterm-256color',
    COLORTERM: 'truecolor',
    LANG: 'en_US.UTF-8',
    LC_ALL: 'C.UTF-8',
    SHLVL: '1',
    USER: 'a1',
    LS_COLORS: 'rs=0:di=01;34:ln=01;36',
    SSH_CONNECTION: '10.0.0.1 50000 10.0.0.2 22',
    SSH_TTY: '/dev/pts/1',
    XDG_RUNTIME_DIR: '/run/user/1000',
    DBUS_SESSION_BUS_ADDRESS: 'unix:path=/run/user/1000/bus',
    EDITOR: 'nano',
    BROWSER: 'https://example.test/Xy1',
    AUTHSOME_IDENTITY_KEY: 'AbCdEf0123456789',
  };
  expect(namesIn(environment)).toEqual([]);
});

it('finds what looks like a secret, whatever its name', () => {
  expect(namesIn({ MY_OWN_NAME: 'REALSECRET-victim-0123456789', X: 'sk-AbCdEfGh' })).toEqual([
    'MY_OWN_NAME',
    'X',
  ]);
});

it('finds any word of eight characters under a name that sounds like a secret', () => {
  expect(namesIn({ DEPLOY_TOKEN: 'lowercase', APP_KEY: '/a/b+c/==', DB_PASSWORD: 'seven-7' })).toEqual([
    'DEPLOY_TOKEN',
    'APP_KEY',
  ]);
});

it('compares what is behind a scheme, without whitespace around it', () => {
  const found = suspiciousValues({ HEADER: 'Bearer abcdefgh1 ', NOTE: 'two words here 1' });
  expect([...found]).toEqual([['HEADER', 'abcdefgh1']]);
});
