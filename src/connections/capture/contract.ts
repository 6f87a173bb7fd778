import type { AuthsomeError } from '../../errors.ts';
import type { CaptureRoute, Provider } from '../../providers/index.ts';

/** What stands for the secrets of this vault's connections, in programs. */
export interface ProgramPhantoms {
  /** Of a connection's access token. */
  ofAccessToken(connection: string): Promise<string>;
  /** Of its refresh token. */
  ofRefreshToken(connection: string, secret: string): Promise<string>;
  /** What a value stands for; `undefined` for one that is no phantom of this vault's. */
  find(value: string):
    | {
        readonly connection: string;
        readonly part: 'access_token' | 'refresh_token';
        readonly isRetired: boolean;
      }
    | undefined;
}

/** A complete request of a program to an endpoint of its sign-in. */
export interface ProgramRequest {
  readonly route: CaptureRoute;
  readonly provider: Provider;
  /** The name of the connection that a sign-in makes or replaces. */
  readonly connection: string;
  /** Whether the program's run may use a connection (`provider/connection`). */
  readonly mayUse: (connection: string) => boolean;
  readonly query: string;
  /** Names in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array;
}

/** What the program gets. */
export interface ProgramAnswer {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array;
  /** Why its request was refused, for the record. */
  readonly failure?: AuthsomeError;
}

/** The sign-ins of programs: what their services grant is kept here. */
export interface ProgramSignIns {
  /**
   * Answers a request, by the service or from the vault. Rejects where a service's answer cannot be used or stored; then
   * nobody gets it.
   */
  answer(request: ProgramRequest): Promise<ProgramAnswer>;
}
