/** A request's target as it was decided, and as the upstream gets it. */
export interface ForwardTarget {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** With its `?`, or empty. */
  readonly query: string;
  /** The `Host` value of the authority that was decided on. */
  readonly host: string;
}
