export interface RunRequest {
  /** `provider` or `provider/connection`; empty: every connected provider's default connection. */
  readonly providers: readonly string[];
  /** provider → connection. */
  readonly connections: Readonly<Record<string, string>>;
  /** More connections, also of the same providers, and those whose phantom a variable of the caller's choice gets. */
  readonly further?: readonly FurtherConnectionRequest[] | undefined;
  /** provider → connection, where the request names neither; `true`: the default one. From `config.json`. */
  readonly defaults?: Readonly<Record<string, string | true>> | undefined;
  /** The only connections that the run has besides those that the request names, if it would have them anyway. */
  readonly narrowed_to?: Readonly<Record<string, string | true>> | undefined;
  /** For `ps` and the audit trail: the program's name, no arguments. */
  readonly command: string;
  /** Whether the run may do what is refused inside others. Only from outside of every run, or from a trusted one. */
  readonly trusted?: boolean | undefined;
  /** Whether the command gets the caller's variables as they are, secrets included. For the audit trail. */
  readonly inherit_secrets?: boolean | undefined;
  /** Whether a misplaced phantom ends the run. */
  readonly strict?: boolean | undefined;
  /** CA bundles that the caller's environment already named. The run's bundle includes them. */
  readonly ca_files: readonly string[];
  /**
   * Variables of the caller that may hold a secret: name → fingerprint of the value under `salt`, and under the secret of
   * the daemon's record where the call proves that the caller knows it. Never a value.
   */
  readonly variables?:
    | { readonly salt: string; readonly fingerprints: Readonly<Record<string, string>> }
    | undefined;
}

/** A run as a command asks for it: with the values of the variables, which stay in its process. */
export type RunOpening = Omit<RunRequest, 'variables'> & { readonly values: ReadonlyMap<string, string> };

/**
 * One NDJSON line. The run lives as long as the connection that carried it. Later lines are `{"notice": …}`: what a person
 * should know at its end. `{"stopped": …}` says why the daemon ends it, for what happened in it.
 */
export interface RunDocument {
  readonly v: 1;
  readonly run_id: string;
  readonly proxy_url: string;
  /** PEM file with the run's CA alone, and one with the system's roots as well. */
  readonly ca_file: string;
  readonly ca_bundle_file: string;
  /** Variable → phantom. */
  readonly phantoms: Readonly<Record<string, string>>;
  /**
   * Unset in the child: the variables that connected providers name (`env_var`, `client_secret_env`, `export.env`), in the
   * run or not, and those of the request whose value is a secret of the vault.
   */
  readonly secret_variables: readonly string[];
  readonly connections: readonly string[];
  /** Connections that are used by their phantoms alone, and the variables that have these. Left out where there are none. */
  readonly further?: readonly FurtherConnectionDocument[];
  /** Provider → the phantom of the connection that the run uses for it. Left out where there is none. */
  readonly provider_phantoms?: Readonly<Record<string, string>>;
  /** Variables of the request whose value is a phantom already. Left out where there are none. */
  readonly phantom_variables?: readonly string[];
  /** How to recognize keys of a person's own definitions. Left out where there are none. */
  readonly key_patterns?: readonly KeyPatternDocument[];
  /** Routed hosts whose address a person gave, and how many roots are trusted besides the system's. Left out for none. */
  readonly overrides?: { readonly resolved_hosts: readonly string[]; readonly extra_roots: number };
  /** Of `narrowed_to`, what the run would not have without it, and has not. Left out where nothing was narrowed. */
  readonly not_given?: readonly string[];
  /** The run that it is inside of. Left out where there is none. */
  readonly outer_run?: string;
  /** Connection → hosts that its definition has gained: requests to them are refused. Left out where there are none. */
  readonly unapproved_hosts?: Readonly<Record<string, readonly string[]>>;
}

export interface FurtherConnectionRequest {
  readonly provider: string;
  readonly connection: string;
  readonly variable?: string | undefined;
}

export interface FurtherConnectionDocument {
  /** `provider/connection`. */
  readonly connection: string;
  readonly variables: readonly string[];
}

export interface KeyPatternDocument {
  readonly provider: string;
  /** Of the whole key. */
  readonly pattern: string;
}
