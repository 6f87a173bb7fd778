import { describe, expect, it } from 'vitest';
import { isLoopbackAddress, isLoopbackHost, isLoopbackName, isThisMachine } from './loopback.ts';

const strangers = [
  '',
  'localhost.example.com',
  'notlocalhost',
  '127.0.0.1.example.com',
  '1127.0.0.1',
  '127.evil.example',
  'localhost.evil.example',
  '[::2]',
  '127.0.0',
  '128.0.0.1',
  '0.0.0.0',
  '::',
  '[::]',
  '::1.example.com',
];

describe('loopback', () => {
  it.each(['localhost', '127.0.0.1', '127.9.9.9', '127.255.1.2', '::1', '[::1]'])(
    'is the host %s',
    (host) => {
      expect(isLoopbackHost(host)).toBe(true);
      expect(isLoopbackName(host)).toBe(true);
    },
  );

  it('is a name below localhost only for what the daemon connects to itself', () => {
    expect(isLoopbackName('a.localhost')).toBe(true);
    expect(isLoopbackHost('a.localhost')).toBe(false);
  });

  it.each(strangers)('is not the host %j', (host) => {
    expect(isLoopbackHost(host)).toBe(false);
    expect(isLoopbackName(host)).toBe(false);
  });

  it('is every spelling that leads here', () => {
    const own = [
      'localhost',
      'a.localhost.',
      '[::1]',
      '0.0.0.0',
      '0.1.2.3',
      '[::]',
      '::',
      '[::ffff:7f00:1]',
      '::ffff:0:0',
    ];
    expect(own.filter((host) => !isThisMachine(host))).toEqual([]);
    const elsewhere = strangers.filter((host) => !['0.0.0.0', '::', '[::]'].includes(host));
    const others = [...elsewhere, '[::ffff:a00:1]', '10.0.0.1', '0.example', 'example.com', '::2'];
    expect(others.filter(isThisMachine)).toEqual([]);
  });

  it('is the address of a socket, whichever way the system spells it', () => {
    const own = ['127.0.0.1', '127.8.9.1', '::1', '::ffff:127.0.0.1'];
    expect(own.filter((address) => !isLoopbackAddress(address))).toEqual([]);
    const others = ['', '10.0.0.1', '::', '::2', '::ffff:10.0.0.1', '1.127.0.0', 'localhost'];
    expect(others.filter(isLoopbackAddress)).toEqual([]);
  });
});
