import { expect, it } from 'vitest';
import { inheritedStreams } from './descriptors.ts';

const streams = (links: Readonly<Record<number, string>>) =>
  inheritedStreams(new Map(Object.entries(links).map(([descriptor, link]) => [Number(descriptor), link])));

it('are the standard ones, where there are no others', () => {
  expect(streams({})).toEqual(['inherit', 'inherit', 'inherit']);
  expect(streams({ 0: '/dev/pts/1', 1: 'pipe:[7]', 2: 'pipe:[7]' })).toEqual([
    'inherit',
    'inherit',
    'inherit',
  ]);
});

it('are files and pipes under their own numbers, with the gaps left closed', () => {
  expect(streams({ 0: '/dev/null', 4: '/tmp/a (deleted)', 6: 'pipe:[8]' })).toEqual([
    ...['inherit', 'inherit', 'inherit'],
    ...['ignore', 4, 'ignore', 6],
  ]);
});

it('are none of Node’s own, and no socket', () => {
  expect(
    streams({
      3: 'anon_inode:[eventpoll]',
      4: 'anon_inode:[eventfd]',
      5: 'pipe:[9]',
      6: 'pipe:[9]',
      7: 'socket:[10]',
      8: '/dev/null',
      300: '/tmp/far',
    }),
  ).toEqual(['inherit', 'inherit', 'inherit']);
});
