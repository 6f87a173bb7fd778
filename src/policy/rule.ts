/** One line of policy. A field left out matches everything; `deny` wins over `allow`; nothing matching allows. */
export interface Rule {
  /** How the rule is named in `explain`; unique. */
  readonly id: string;
  readonly effect: 'allow' | 'deny';
  readonly identities?: readonly string[];
  readonly providers?: readonly string[];
  readonly connections?: readonly string[];
  readonly methods?: readonly string[];
  /**
   * Globs over the canonical path: `*` within a segment, `**` across segments. Those of a `deny` also match what services
   * may take for such a path: letters in the other case, segments with parameters, a slash at the end.
   */
  readonly paths?: readonly string[];
}

export interface PolicyRequest {
  readonly identity: string;
  readonly provider: string;
  readonly connection: string;
  readonly method: string;
  readonly host: string;
  /** Canonical path without query. */
  readonly path: string;
}

export interface PolicyDecision {
  readonly allowed: boolean;
  /** The rule that decided; `undefined` when none matched. */
  readonly rule: string | undefined;
  /** One sentence for `explain`. */
  readonly reason: string;
}
