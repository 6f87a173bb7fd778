import type { LiveRules } from '../rules.ts';
import type { Check } from './checks.ts';
import { type ClockCheckOptions, clockCheck } from './clock-check.ts';
import { configChecks, homeChecks } from './home-checks.ts';
import { type NetworkChecksOptions, networkChecks } from './network-checks.ts';
import { type StoreChecksOptions, storeChecks } from './store-checks.ts';

export type DoctorOptions = StoreChecksOptions &
  NetworkChecksOptions &
  ClockCheckOptions & { readonly rules: LiveRules };

/** All that the daemon checks about itself, in the order that `doctor` shows. */
export function doctorChecks(options: DoctorOptions): readonly Check[] {
  const { home, rules } = options;
  return [
    ...homeChecks(home),
    ...storeChecks(options),
    ...configChecks(home, rules),
    ...networkChecks(options),
    clockCheck(options),
  ];
}
