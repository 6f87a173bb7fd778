import { describe, expect, it } from 'vitest';
import { exitCodeOf, isInForeground } from './signals.ts';

it('a signal gives the code that a shell gives it', () => {
  expect(exitCodeOf(null, 'SIGTERM')).toBe(143);
  expect(exitCodeOf(null, 'SIGINT')).toBe(130);
});

describe('the foreground of the terminal', () => {
  const stat = (name: string, group: number, terminalGroup: number) =>
    `4242 (${name}) S 1 ${group} 4200 34816 ${terminalGroup} 4194304`;

  it('is where the terminal’s group is this process’s, whatever the program is called', () => {
    expect(isInForeground(() => stat('node', 4200, 4200))).toBe(true);
    expect(isInForeground(() => stat('a) S 1 (b', 4200, 4200))).toBe(true);
    expect(isInForeground(() => stat('node', 4200, 4100))).toBe(false);
  });

  it('is not where there is no terminal', () => {
    expect(isInForeground(() => stat('node', 4200, -1))).toBe(false);
  });

  it('is asked for where there is no /proc', () => {
    const missing = () => {
      throw new Error('no /proc');
    };
    expect(isInForeground(missing, () => true)).toBe(true);
    expect(isInForeground(missing, () => false)).toBe(false);
  });
});
