import { describe, expect, it } from 'vitest';
import { type Generation, surroundingRuns } from './surrounding.ts';

const generation = (ids: readonly string[] = [], sockets: readonly number[] = []): Generation => ({
  sockets: new Set(sockets),
  marks: { isMarked: ids.length > 0, ids },
});
const runs = new Map([
  ['run_a', { leaseSocket: 1, isTrusted: false }],
  ['run_t', { leaseSocket: 2, isTrusted: true }],
  ['run_x', { leaseSocket: undefined, isTrusted: true }],
]);
const around = (lineage: readonly Generation[], claimed?: string, isGone = false) =>
  surroundingRuns({ lineage, claimed, isGone }, runs);

describe('the runs around a caller', () => {
  it('are none for a process that nothing ties to one', () => {
    expect(around([generation(), generation()])).toBeUndefined();
    expect(around([])).toBeUndefined();
  });

  it('are those whose lease is held by a process above it, not by itself', () => {
    expect(around([generation(), generation([], [5, 1])])).toEqual({
      ...{ live: ['run_a'], named: ['run_a'], isTrusted: false },
    });
    expect(around([generation([], [1])])).toBeUndefined();
  });

  it('are those that an environment in its lineage names, or that it claims, from the inside out', () => {
    expect(around([generation(['run_t']), generation(['run_a'])])?.named).toEqual(['run_t', 'run_a']);
    expect(around([generation()], 'run_a')?.live).toEqual(['run_a']);
    expect(around([generation(['run_ended'])])).toEqual({ live: [], named: ['run_ended'], isTrusted: false });
  });

  it('begin with one that a lease proves, whatever else is named', () => {
    const named = generation(['run_x']);
    expect(around([named, generation([], [1])], 'run_t')?.live).toEqual(['run_a', 'run_t', 'run_x']);
    // Of a nested run, both are proved, from the inside out.
    expect(around([generation(['run_a']), generation(['run_t'], [1]), generation([], [2])])?.live).toEqual([
      ...['run_a', 'run_t'],
    ]);
  });

  it('are trusted when each is live and trusted, whatever the caller adds', () => {
    expect(around([generation(['run_t']), generation([], [2])])?.isTrusted).toBe(true);
    expect(around([generation(['run_t']), generation([], [1])])?.isTrusted).toBe(false);
    expect(around([generation(['run_t']), generation(['run_ended'])])?.isTrusted).toBe(false);
    expect(around([generation()], 'run_x')?.isTrusted).toBe(true);
    expect(around([generation([], []), generation([], [1])], 'run_t')?.isTrusted).toBe(false);
  });

  it('are assumed for a caller that has left, and for a mark without a name', () => {
    expect(around([], undefined, true)).toEqual({ live: [], named: [], isTrusted: false });
    expect(around([], 'run_t', true)?.isTrusted).toBe(false);
    const marked = { sockets: new Set<number>(), marks: { isMarked: true, ids: [] } };
    expect(around([marked])).toEqual({ live: [], named: [], isTrusted: false });
  });
});
