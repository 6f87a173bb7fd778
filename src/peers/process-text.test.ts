import { describe, expect, it } from 'vitest';
import { programName, readStat, socketIn, variablesIn } from './process-text.ts';
import { runMarksIn } from './run-marks.ts';

describe('what the kernel writes about a process', () => {
  it('has the parent behind a name that may contain anything', () => {
    expect(readStat('4242 (sh) S 17 4242 17 0 -1')).toEqual({ parent: 17, name: 'sh' });
    expect(readStat('4242 (a) S 1 (b) R 17 4242')).toEqual({ parent: 17, name: 'a) S 1 (b' });
    expect(readStat('')).toBeUndefined();
    expect(readStat('4242 (sh) S')).toBeUndefined();
  });

  it('tells sockets from other files', () => {
    expect(socketIn('socket:[12345]')).toBe(12345);
    for (const link of ['pipe:[12345]', '/dev/null', 'socket:[]', '/tmp/socket:[1]', '']) {
      expect(socketIn(link)).toBeUndefined();
    }
  });

  it('has variables that may contain anything but NUL', () => {
    expect([...variablesIn('A=1\0B=x=y\nz\0broken\0=no\0C=\0')]).toEqual([
      ['A', '1'],
      ['B', 'x=y\nz'],
      ['C', ''],
    ]);
  });

  it('names a program by its file and by the name that it gave itself, and is safe to print', () => {
    expect(programName('/usr/bin/curl', 'curl')).toBe('curl');
    expect(programName('/usr/bin/node', 'claude')).toBe('node (claude)');
    expect(programName('/usr/bin/node', 'node-MainThread')).toBe('node');
    expect(programName('/opt/a-very-long-program-name', 'a-very-long-pro')).toBe('a-very-long-program-name');
    expect(programName('/tmp/gone (deleted)', 'gone')).toBe('gone');
    expect(programName(undefined, 'sudo')).toBe('sudo');
    expect(programName(undefined, '')).toBe('unknown');
    expect(programName('/tmp/\u001b[31mred\n', 'x')).toBe('?[31mred? (x)');
  });
});

describe('the marks of a run', () => {
  const runs = '/home/me/.authsome/runs';
  const marks = (variables: Readonly<Record<string, string>>) => runMarksIn(Object.entries(variables), runs);

  it('are its variable, and paths to its files', () => {
    expect(marks({ AUTHSOME_RUN: 'run_a' })).toEqual({ isMarked: true, ids: ['run_a'] });
    expect(marks({ CURL_CA_BUNDLE: `${runs}/run_b/bundle.pem` })).toEqual({ isMarked: true, ids: ['run_b'] });
    expect(marks({ AUTHSOME_RUN: 'run_c', CURL_CA_BUNDLE: `${runs}/run_b/bundle.pem` }).ids).toEqual([
      'run_c',
      'run_b',
    ]);
  });

  it('count in any form, but only an id is taken over', () => {
    expect(marks({ AUTHSOME_RUN: '\u001b[2J' })).toEqual({ isMarked: true, ids: [] });
    expect(marks({ AUTHSOME_RUN: '' })).toEqual({ isMarked: false, ids: [] });
    expect(marks({ PATH: '/home/me/.authsome/runs-of-mine/x', HOME: '/home/me' }).isMarked).toBe(false);
  });
});
