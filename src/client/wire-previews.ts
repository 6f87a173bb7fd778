import type { ExplainDocument } from './wire.ts';
import type { RunDocument, RunRequest } from './wire-runs.ts';

/** What a run would have: as in `RunDocument`, with names in place of values. */
export interface RunPreviewDocument
  extends Pick<
    RunDocument,
    | 'connections'
    | 'secret_variables'
    | 'phantom_variables'
    | 'key_patterns'
    | 'not_given'
    | 'overrides'
    | 'outer_run'
    | 'unapproved_hosts'
  > {
  readonly v: 1;
  /** The variables that would contain phantoms. */
  readonly variables: readonly string[];
  /** The providers that would have a phantom. */
  readonly providers: readonly string[];
  readonly routes: readonly {
    readonly route: string;
    /** As in its definition: with a port or a path prefix where it has one. */
    readonly host: string;
    readonly connection: string;
    readonly placement: string;
    /** Requests are refused where the connection is not approved for the host. */
    readonly approved: boolean;
  }[];
  /** Hosts whose traffic is read, since programs that sign in by themselves do so there. */
  readonly sign_in_hosts: readonly string[];
}

/** What `run --dry-run` prints. */
export interface DryRunDocument {
  readonly v: 1;
  readonly command: string;
  readonly trusted: boolean;
  readonly connections: readonly {
    readonly provider: string;
    readonly connection: string;
    /** What chose it: `options`, the path of a `.authsome.json`, `config.json`, or `default`. */
    readonly from: string;
  }[];
  /** What a `.authsome.json` asks for, and the run does not have. */
  readonly not_given: readonly string[];
  /** Names only. */
  readonly variables: {
    readonly phantoms: readonly string[];
    /** For the proxy, the certificates and the run's id. */
    readonly set: readonly string[];
    readonly removed: readonly string[];
  };
  readonly routes: RunPreviewDocument['routes'];
  readonly sign_in_hosts: RunPreviewDocument['sign_in_hosts'];
  /** What happens to hosts without a route: `open` lets them pass. */
  readonly egress: 'open';
  readonly sandbox: false;
  readonly overrides: NonNullable<RunDocument['overrides']> | null;
  readonly outer_run: string | null;
  readonly unapproved_hosts: Readonly<Record<string, readonly string[]>>;
}

/** A request that nobody makes, of a run with these connections. */
export interface DecisionPreviewRequest extends Pick<RunRequest, 'providers' | 'connections'> {
  readonly method: string;
  readonly url: string;
}

/** As in `ExplainDocument`. It has no id and no time: it is not on record. */
export type DecisionPreviewDocument = Omit<ExplainDocument, 'decision' | 'at'> & {
  readonly decision: null;
  readonly at: null;
};

/** How to see whether a connection's credential is accepted. */
export interface ProbeListDocument {
  readonly v: 1;
  readonly probes: readonly {
    readonly provider: string;
    readonly connection: string;
    /** `null` where the definition names none. */
    readonly request: {
      readonly url: string;
      readonly method: 'GET' | 'HEAD' | 'POST';
      /** JSON pointer of what is true in the response to an accepted credential. */
      readonly ok: string | null;
    } | null;
  }[];
}

/** What `probe` prints. */
export interface ProbeDocument {
  readonly v: 1;
  readonly probes: readonly {
    readonly provider: string;
    readonly connection: string;
    readonly status: 'arrived' | 'rejected' | 'unknown';
    readonly http_status: number | null;
    readonly detail: string;
  }[];
}
