import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StoredRecord, Vault } from '../../vault/index.ts';
import { type Connections, createConnections } from '../connections.ts';
import {
  startAuthorizationServer,
  type TestAuthorizationServer,
  testClient,
  testRedirectUri,
} from '../testing/test-authorization-server.ts';
import { memoryVault, oauthProvider, openFixture } from '../testing/test-fixture.ts';

const key = 'acme/default';

let server: TestAuthorizationServer;
beforeAll(async () => {
  server = await startAuthorizationServer();
});
afterAll(() => server.close());

interface Death {
  readonly vault: Vault;
  /** Resolves when the daemon is dead; never when it survives. */
  readonly died: Promise<void>;
  readonly steps: number;
}

/** A vault of a daemon that is killed at its `dieAt`-th step: before the step was done, or just after. */
function dyingVault(vault: Vault, dieAt: number, moment: 'before' | 'after'): Death {
  let steps = 0;
  let die: () => void = () => undefined;
  const died = new Promise<void>((resolve) => {
    die = resolve;
  });
  let isDead = false;
  const step = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    steps += 1;
    if (!isDead && steps === dieAt) {
      if (moment === 'after') await work();
      isDead = true;
      die();
    }
    return isDead ? await new Promise<never>(() => undefined) : await work();
  };
  return {
    died,
    get steps() {
      return steps;
    },
    vault: {
      id: vault.id,
      read: (...args) => step(() => vault.read(...args)),
      list: (...args) => step(() => vault.list(...args)),
      write: (...args) => step(() => vault.write(...args)),
      remove: (...args) => step(() => vault.remove(...args)),
      exclusively: (name, leaseMs, work) => vault.exclusively(name, leaseMs, work),
    },
  };
}

function daemons() {
  const records = new Map<string, StoredRecord>();
  const { options, clock } = openFixture([oauthProvider(server.oauth)], {
    fetchFor: () => fetch,
    redirectUri: testRedirectUri,
  });
  const start = (vault: Vault = memoryVault(records)): Connections =>
    createConnections({ ...options, vault });
  return { records, clock, start };
}

async function atProvider(connections: Connections) {
  const { id } = await connections.signIns.start({ provider: 'acme', force: false });
  const { providerUrl } = await connections.signIns.submitClient(id, testClient);
  return { id, landed: await server.approve(providerUrl ?? '') };
}

/** The steps, with their moment, after which `attempt` did not end well. */
async function losses(attempt: (dieAt: number, moment: 'before' | 'after') => Promise<'survived' | boolean>) {
  const lost: string[] = [];
  for (const moment of ['before', 'after'] as const) {
    let dieAt = 1;
    for (; ; dieAt += 1) {
      const outcome = await attempt(dieAt, moment);
      if (outcome === 'survived') break;
      if (!outcome) lost.push(moment);
    }
    expect(dieAt).toBeGreaterThan(3);
  }
  return lost;
}

async function works(connections: Connections): Promise<boolean> {
  try {
    return await server.accepts((await connections.credentials.acquire(key)).secret);
  } catch {
    return false;
  }
}

describe('a daemon that is killed', () => {
  it('at any step of a callback leaves a sign-in that ends, and loses it in one place only', async () => {
    const lost = await losses(async (dieAt, moment) => {
      const { records, start } = daemons();
      const { id, landed } = await atProvider(start());
      const death = dyingVault(memoryVault(records), dieAt, moment);
      const survived = start(death.vault).signIns.callback(landed);
      if ((await Promise.race([survived, death.died])) !== undefined) return 'survived';
      const restarted = start();
      await restarted.signIns.resume();
      let session = await restarted.signIns.read(id);
      if (session.providerUrl !== undefined) session = await restarted.signIns.callback(landed);
      while (session.status === 'waiting') {
        session = await restarted.signIns.waitForChange(id, session.revision, 5_000);
      }
      expect((session.status === 'connected') === (await works(restarted))).toBe(true);
      return session.status === 'connected';
    });
    // Between the token response and the write that stores it: no protocol closes that gap.
    expect(lost).toEqual(['before']);
  });

  it('at any step of a refresh loses the grant in one place only', async () => {
    const lost = await losses(async (dieAt, moment) => {
      const { records, clock, start } = daemons();
      const first = start();
      const { landed } = await atProvider(first);
      await first.signIns.callback(landed);
      clock.nowMs += 3_600_000;
      const death = dyingVault(memoryVault(records), dieAt, moment);
      const survived = start(death.vault).credentials.acquire(key);
      if ((await Promise.race([survived, death.died])) !== undefined) return 'survived';
      return await works(start());
    });
    expect(lost).toEqual(['before']);
  });
});
