import { readFileSync } from 'node:fs';
import type { CommandContext } from './context.ts';

/** What a bundled definition says about keys; `scripts/provider-keys.mjs` writes it. */
export interface BundledKeys {
  readonly name: string;
  readonly display_name: string;
  /** The variable that a sign-in with a key reads. */
  readonly key_variable: string | null;
  /** Every variable that the definition names. */
  readonly variables: readonly string[];
  readonly key_pattern: string | null;
  /** Patterns of the hosts that get its keys. */
  readonly hosts: readonly string[];
  readonly takes_key: boolean;
}

/**
 * The bundled definitions as they came with this program. A daemon on another machine sends definitions too, but has no
 * say in which variables of this one it gets.
 */
export function bundledKeys({
  bundledKeys: file,
}: Pick<CommandContext, 'bundledKeys'>): readonly BundledKeys[] {
  return JSON.parse(readFileSync(file, 'utf8')) as readonly BundledKeys[];
}
