import type { CheckDocument, DoctorDocument, ReadyDocument } from '../../client/index.ts';
import { asAuthsomeError } from '../../errors.ts';

/** One thing that `doctor` looks at. Returns what it found, or throws what is wrong. */
export interface Check {
  readonly name: string;
  /** Whether the daemon cannot work without it: `ready` looks at these only. */
  readonly isVital: boolean;
  look(depth: Depth): Promise<Finding> | Finding;
}

/** `glance` costs next to nothing, since anybody may ask for it at any time. */
export type Depth = 'glance' | 'thorough';

export interface Finding {
  readonly status: 'ok' | 'warn' | 'fail';
  readonly message: string;
  readonly fix?: string | undefined;
}

/** A check; `isVital` when the daemon cannot work without what it looks at. */
export function check(name: string, look: Check['look'], { isVital = false } = {}): Check {
  return { name, isVital, look };
}

export function ok(message: string): Finding {
  return { status: 'ok', message };
}

async function examine(check: Check, depth: Depth): Promise<CheckDocument> {
  try {
    const { status, message, fix } = await check.look(depth);
    return { name: check.name, status, message, fix: fix ?? null };
  } catch (thrown) {
    const error = asAuthsomeError(thrown);
    return { name: check.name, status: 'fail', message: error.message, fix: error.hint ?? null };
  }
}

export async function readyDocument(checks: readonly Check[]): Promise<ReadyDocument> {
  const vital = checks.filter(({ isVital }) => isVital);
  const found = await Promise.all(vital.map((check) => examine(check, 'glance')));
  // Open to anybody, so it only says that something is wrong; the signed `doctor` says what.
  const terse = found.map(({ name, status }) => ({ name, status, message: status, fix: null }));
  return { v: 1, ready: found.every(({ status }) => status !== 'fail'), checks: terse };
}

export async function doctorDocument(checks: readonly Check[]): Promise<DoctorDocument> {
  const found = await Promise.all(checks.map((check) => examine(check, 'thorough')));
  const worst = (['fail', 'warn'] as const).find((status) => found.some((check) => check.status === status));
  return { v: 1, status: worst ?? 'ok', checks: found };
}
