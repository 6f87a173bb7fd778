import { defineConfig } from 'vitest/config';

const h2spec = 'test/e2e/http2/h2spec.test.ts';

/** End-to-end files that get the machine to themselves, and why. */
const alone = {
  'test/e2e/default-port.test.ts': 'listens on 127.0.0.1:7998 where the kernel gives no network of its own',
  'test/e2e/sign-in-symptoms.test.ts': 'the same',
  'test/e2e/keychain.test.ts': 'starts a keyring session, and holds it to a time limit',
  'test/e2e/pages.test.ts': 'drives Chromium',
  'test/e2e/personalities-faulty.test.ts': 'drives Chromium, against servers close to a time limit',
  'test/e2e/personalities-strict.test.ts': 'drives Chromium',
  'test/e2e/personalities.test.ts': 'drives Chromium',
  'test/e2e/run-chromium.test.ts': 'drives Chromium',
  'test/e2e/sign-in-looks.test.ts': 'drives Chromium',
  'test/e2e/ticket-looks.test.ts': 'drives Chromium',
  'test/e2e/idle-tunnels.test.ts': 'measures memory over a thousand tunnels',
  'test/e2e/keeping-alive.test.ts': 'acts within the last seconds of a token',
  'test/e2e/keeping-alive-race.test.ts': 'starts fifty commands at one instant',
  'test/e2e/soak.test.ts': 'puts load on the product for as long as it runs',
};

/** Only root can act as other users; scripts/test.mjs says when these do not run. */
const secondUser =
  process.platform === 'linux' && process.getuid?.() === 0 ? [] : ['test/security/second-user/**'];

const limits = {
  // For what hangs: on a machine that has other things to do a test may take ten times as long as it should.
  testTimeout: 60_000,
  hookTimeout: 60_000,
};

const endToEnd = {
  ...limits,
  // Real browsers, terminals and processes on a shared machine: a step that was starved is taken once more.
  retry: 1,
};

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...limits,
          name: 'unit',
          include: ['src/**/*.test.ts', 'test/*.test.ts', 'test/architecture/*.test.ts'],
          isolate: false,
        },
      },
      {
        test: {
          ...endToEnd,
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts', 'test/security/**/*.test.ts'],
          exclude: [h2spec, ...secondUser, ...Object.keys(alone)],
          // They wait for processes and sockets more than they compute: more of them than there are cores.
          maxWorkers: 4,
        },
      },
      {
        test: {
          ...endToEnd,
          name: 'agents',
          include: ['test/agents/**/*.test.ts'],
          globalSetup: 'test/agents/install.ts',
          // Programs of 400 MB each.
          fileParallelism: false,
        },
      },
      { test: { ...endToEnd, name: 'e2e-alone', include: Object.keys(alone), fileParallelism: false } },
      // By itself, since it needs a program that only Go builds: scripts/test.mjs says whether it ran.
      { test: { name: 'h2spec', include: [h2spec], hookTimeout: 60_000, retry: 2 } },
    ],
  },
});
