import type { Caller, Tenant } from '../principals/index.ts';
import type { Run } from '../proxy/index.ts';
import type { ByProvider } from './narrowed.ts';
import type { CaFiles } from './run-directory.ts';
import type { Selected, SelectionRequest } from './selection.ts';
import type { Surrounding } from './surrounding.ts';

/** What a caller gives to open a run. */
export interface RunSpecification extends SelectionRequest {
  /** provider → connection, where the request does not name one. */
  readonly defaults?: ByProvider | undefined;
  /** The only ones besides those that the request names. */
  readonly narrowedTo?: ByProvider | undefined;
  /** The program's name, no arguments. */
  readonly command: string;
  /** Whether what runs in it may do what is refused inside other runs. */
  readonly isTrusted: boolean;
  /** Whether a misplaced phantom ends it. */
  readonly isStrict?: boolean;
  /** Whether its child keeps the secrets of its parent's environment. */
  readonly inheritsSecrets?: boolean;
  /** The kernel's number of the socket that holds the run open, at the caller's side, where it is known. */
  readonly leaseSocket: number | undefined;
  /** The runs that the caller descends from; `undefined` for none. */
  readonly surrounding?: Surrounding | undefined;
  readonly caFiles: readonly string[];
  /** What the caller's own environment contains: variable → fingerprint, and how a secret gets the same one. */
  readonly held?:
    | {
        readonly fingerprints: Readonly<Record<string, string>>;
        readonly fingerprintOf: (secret: string) => string;
      }
    | undefined;
}

/** What a person set that touches a run. */
export interface RunOverrides {
  /** Routed hosts whose address is given by hand. */
  readonly resolvedHosts: readonly string[];
  /** How many root certificates are trusted besides the system's. */
  readonly extraRoots: number;
}

/** A run as its opener gets it. */
export interface OpenedRun extends CaFiles {
  readonly id: string;
  readonly proxyUrl: string;
  readonly phantoms: Readonly<Record<string, string>>;
  readonly secretVariables: readonly string[];
  /** Variables of the caller whose value is a phantom already. */
  readonly phantomVariables: readonly string[];
  /** Provider → the phantom of its connection. */
  readonly providerPhantoms: Readonly<Record<string, string>>;
  /** How the keys of a person's own definitions look. */
  readonly keyPatterns: readonly { readonly provider: string; readonly pattern: string }[];
  readonly connections: readonly string[];
  /** Those of them that are used by their phantoms alone, and the variables that have these. */
  readonly further: readonly { readonly connection: string; readonly variables: readonly string[] }[];
  /** Where its requests go, or whom they believe, by hand; `undefined` for nowhere and nobody. */
  readonly overrides: RunOverrides | undefined;
  /** The run that it is inside of, if any. */
  readonly outer: string | undefined;
  /** What it was narrowed to, but would not have had; `undefined` where nothing was narrowed. */
  readonly notGiven: readonly string[] | undefined;
  /** Connection → hosts that its definition has gained: requests to them are refused. */
  readonly unapprovedHosts: Readonly<Record<string, readonly string[]>>;
  /** Called with each thing that a person should know at the run's end. */
  onNotice(listener: (text: string) => void): void;
  /** Called with the reason where it is about to be ended for what happened in it. */
  onStopped(listener: (reason: string) => void): void;
  /** Ends it. May be called again. */
  end(): void;
  /** Resolves when it has ended, for whatever reason. */
  readonly ended: Promise<void>;
}

/** A run as the daemon keeps it while it lives. */
export interface RunEntry {
  readonly run: Run;
  /** The program's name. */
  readonly command: string;
  readonly isTrusted: boolean;
  readonly leaseSocket: number | undefined;
  readonly caller: Caller;
  readonly request: SelectionRequest;
  readonly tenant: Tenant;
  selected: readonly Selected[];
  /** The run that it is inside of. */
  readonly outer: string | undefined;
  /** Tells the opener what happened in it. */
  notice(text: string): void;
  /** Tells the opener why it is about to be ended. */
  stopped(reason: string): void;
  /** The refusals that the opener has been told of. */
  readonly told: Set<string>;
  readonly isStrict: boolean;
  /** Resolves `ended`. */
  announceEnd(): void;
}
