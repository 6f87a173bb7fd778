import { expect, it } from 'vitest';
import { Closers } from './closers.ts';

function record() {
  const closed: string[] = [];
  const failures: unknown[] = [];
  const closers = new Closers((thrown) => failures.push(thrown));
  const add = (name: string) => closers.add(() => void closed.push(name));
  return { closers, closed, failures, add };
}

it('closes what was opened last first, each once', async () => {
  const { closers, closed, failures, add } = record();
  add('database');
  closers.add(async () => {
    await Promise.resolve();
    closed.push('vault');
  });
  add('proxy');
  await closers.close();
  expect(closed).toEqual(['proxy', 'vault', 'database']);
  await closers.close();
  expect(closed).toHaveLength(3);
  expect(failures).toEqual([]);
});

it('closes the rest when one of them fails, and reports the failure', async () => {
  const { closers, closed, failures, add } = record();
  add('database');
  closers.add(() => {
    throw new Error('the disk is full');
  });
  closers.add(() => Promise.reject(new Error('the socket is stuck')));
  add('proxy');
  await closers.close();
  expect(closed).toEqual(['proxy', 'database']);
  expect(failures).toEqual([new Error('the socket is stuck'), new Error('the disk is full')]);
});
