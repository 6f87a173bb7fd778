import { describe, expect, it } from 'vitest';
import { createCallers } from './callers.ts';
import { descendsFromRun, lineageOf } from './lineage.ts';
import type { Peers } from './peers.ts';
import type { ProcessTable } from './process-table.ts';

interface Fake {
  readonly parent: number;
  readonly sockets?: readonly number[];
  readonly variables?: Readonly<Record<string, string>>;
  readonly hides?: boolean;
}

function tableOf(processes: Readonly<Record<number, Fake>>, looked: number[] = []): ProcessTable {
  return {
    pids: () => Object.keys(processes).map(Number).reverse(),
    statOf: (pid) =>
      processes[pid] === undefined ? undefined : { parent: processes[pid].parent, name: `p${pid}` },
    programOf: (_pid, name) => name,
    socketsOf(pid) {
      looked.push(pid);
      return new Set(processes[pid]?.sockets ?? []);
    },
    hidesFiles: (pid) => processes[pid]?.hides === true,
    variablesOf: (pid) => Object.entries(processes[pid]?.variables ?? {}),
  };
}

const runs = '/home/me/.authsome/runs';
const tree = {
  10: { parent: 1 },
  20: { parent: 10, sockets: [7] },
  30: { parent: 20, variables: { AUTHSOME_RUN: 'run_a' } },
  40: { parent: 30, sockets: [9], variables: { SSL_CERT_FILE: `${runs}/run_a/bundle.pem` } },
};

describe('a lineage', () => {
  it('is a process and those above it, without the first of the system', () => {
    const lineage = lineageOf(40, tableOf(tree), runs);
    expect(lineage.map(({ pid }) => pid)).toEqual([40, 30, 20, 10]);
    expect(lineage.map(({ marks }) => marks.ids)).toEqual([['run_a'], ['run_a'], [], []]);
    expect(lineage[2]).toMatchObject({ program: 'p20', sockets: new Set([7]) });
  });

  it('ends where a process is not shown, and where a changing table leads in a circle', () => {
    expect(lineageOf(40, tableOf({ 40: tree[40] }), runs)).toHaveLength(1);
    expect(lineageOf(2, tableOf({ 2: { parent: 3 }, 3: { parent: 2 } }), runs)).toHaveLength(64);
    expect(lineageOf(99, tableOf(tree), runs)).toEqual([]);
  });

  it('shows a run by any environment in it', () => {
    expect(descendsFromRun(40, tableOf(tree), runs)).toBe(true);
    expect(descendsFromRun(20, tableOf(tree), runs)).toBe(false);
    const above = { ...tree, 40: { parent: 30 } };
    expect(descendsFromRun(40, tableOf(above), runs)).toBe(true);
  });
});

describe('a calling process', () => {
  const socket = {} as Parameters<Peers['check']>[0];
  const callersOf = (table: ProcessTable, ids: (number | undefined)[]) => {
    const peers = { socketId: async () => ids.shift() } as unknown as Peers;
    return createCallers({ peers, table, runs, monotonicMs: () => 0 });
  };

  it('is the one that has the socket, whatever it claims', async () => {
    const callers = callersOf(tableOf(tree), [9]);
    expect(await callers.find(socket, 20)).toMatchObject({
      kind: 'known',
      lineage: [{ pid: 40 }, {}, {}, {}],
    });
  });

  it('is found at once by what it claims, and looked for once', async () => {
    const looked: number[] = [];
    const callers = callersOf(tableOf(tree, looked), [9]);
    const found = await callers.find(socket, 40);
    expect(found).toMatchObject({ kind: 'known' });
    expect(looked).toEqual([40, 40, 30, 20, 10]);
    expect(await callers.find(socket, 40)).toBe(found);
    expect(looked).toHaveLength(5);
  });

  it('is one of a run that hides its files, where nobody else has the socket', async () => {
    const hiding = { ...tree, 40: { parent: 30, hides: true } };
    expect(await callersOf(tableOf(hiding), [9, 9]).find(socket, undefined)).toMatchObject({
      ...{ kind: 'known', lineage: [{ pid: 40 }, { pid: 30, marks: { ids: ['run_a'] } }, {}, {}] },
    });
    const others = { ...tree, 40: { parent: 10, hides: true } };
    expect(await callersOf(tableOf(others), [9, 9]).find(socket, undefined)).toEqual({ kind: 'hidden' });
    const another = { ...hiding, 50: { parent: 10, sockets: [9] } };
    expect(await callersOf(tableOf(another), [9]).find(socket, undefined)).toMatchObject({
      ...{ kind: 'known', lineage: [{ pid: 50 }, {}] },
    });
  });

  it('is hidden where the system does not show it, and gone when its socket is', async () => {
    expect(await callersOf(tableOf(tree), [undefined]).find(socket, undefined)).toEqual({ kind: 'hidden' });
    expect(await callersOf(tableOf(tree), [8, 8]).find(socket, undefined)).toEqual({ kind: 'hidden' });
    expect(await callersOf(tableOf(tree), [8, undefined]).find(socket, undefined)).toEqual({ kind: 'gone' });
  });
});
