import { defineConfig } from 'vitest/config';

const h2spec = 'test/e2e/http2/h2spec.test.ts';

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'test/*.test.ts'],
          isolate: false,
          // For what hangs: on a machine that has other things to do a test may take ten times as long as it should.
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          exclude: [h2spec],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          fileParallelism: false,
          // Real browsers, terminals and processes on a shared machine: a step that was starved is taken once more.
          retry: 1,
        },
      },
      // By itself, since it needs a program that only Go builds: scripts/test.mjs says whether it ran.
      { test: { name: 'h2spec', include: [h2spec], hookTimeout: 60_000, retry: 2 } },
    ],
  },
});
