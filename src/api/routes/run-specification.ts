import { z } from 'zod';
import type { RunRequest } from '../../client/index.ts';
import { askPerson, shellWord } from '../../command-line.ts';
import { fingerprintKey, fingerprintOf } from '../../identity/index.ts';
import type { RunSpecification } from '../../runs/index.ts';
import type { CallOrigin } from '../calling-process.ts';
import { deniedInRun, isRefusedTo } from '../run-guard.ts';

/** What a run is selected by. */
export const runSelection = {
  providers: z.array(z.string()),
  connections: z.record(z.string(), z.string()),
  further: z
    .array(
      z.object({
        provider: z.string(),
        connection: z.string(),
        variable: z.string().max(256).optional(),
      }),
    )
    .max(64)
    .optional(),
};

const byProvider = z.record(z.string(), z.union([z.string(), z.literal(true)]));

export const runRequest = z.object({
  ...runSelection,
  defaults: byProvider.optional(),
  narrowed_to: byProvider.optional(),
  command: z.string().max(256),
  trusted: z.boolean().optional(),
  inherit_secrets: z.boolean().optional(),
  strict: z.boolean().optional(),
  ca_files: z.array(z.string()).max(16),
  variables: z
    .object({ salt: z.string().min(16).max(64), fingerprints: z.record(z.string(), z.string().max(64)) })
    .optional(),
}) satisfies z.ZodType<RunRequest>;

/** Throws `DeniedInRun` for a trusted run within one that is not. */
export function requireMayTrust({ trusted, command }: RunRequest, found: CallOrigin): void {
  if (trusted !== true || !isRefusedTo(found)) return;
  throw deniedInRun('starting a trusted run', askPerson(`authsome run --trusted -- ${shellWord(command)}`));
}

/** The run that a request asks for, without the lease that holds it open. */
export function specificationOf(
  request: RunRequest,
  { surrounding }: CallOrigin,
  homeSecret: Uint8Array | undefined,
): RunSpecification {
  return {
    providers: request.providers,
    connections: request.connections,
    further: request.further,
    defaults: request.defaults,
    narrowedTo: request.narrowed_to,
    command: request.command,
    isTrusted: request.trusted === true,
    isStrict: request.strict === true,
    inheritsSecrets: request.inherit_secrets === true,
    surrounding,
    leaseSocket: undefined,
    caFiles: request.ca_files,
    held: heldValues(request.variables, homeSecret),
  };
}

function heldValues(
  variables: RunRequest['variables'],
  homeSecret: Uint8Array | undefined,
): RunSpecification['held'] {
  if (variables === undefined) return undefined;
  const { salt, fingerprints } = variables;
  const key = fingerprintKey(salt, homeSecret);
  return { fingerprints, fingerprintOf: (secret) => fingerprintOf(key, secret) };
}
