/**
 * What a vitest run comes to, for `npm test`: its counts, and by name every test that passed or failed only after it was
 * retried. Vitest's JSON report says nothing about retries, and a test that needs one is a fault to be found.
 */
import { writeFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

export interface Results {
  readonly total: number;
  readonly passed: number;
  /** `<file> > <test>`. */
  readonly retried: readonly string[];
}

/** Writes the results to the file that `AUTHSOME_TEST_RESULTS` names. */
export default class ResultsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const file = process.env.AUTHSOME_TEST_RESULTS;
    if (file !== undefined) writeFileSync(file, JSON.stringify(resultsOf(modules)));
  }
}

function resultsOf(modules: readonly TestModule[]): Results {
  const tests = modules.flatMap((module) => [...module.children.allTests()]);
  return {
    total: tests.length,
    passed: tests.filter((test) => test.result().state === 'passed').length,
    retried: tests
      .filter((test) => (test.diagnostic()?.retryCount ?? 0) > 0)
      .map((test) => `${test.module.relativeModuleId} > ${test.fullName}`),
  };
}
