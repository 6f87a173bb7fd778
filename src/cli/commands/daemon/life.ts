import type { DaemonRecord } from '../../../client/index.ts';
import { AuthsomeError } from '../../../errors.ts';
import type { CommandContext } from '../../context.ts';

/** The exit code of any command that finds no daemon. */
const notRunningExitCode = 9;

export async function start(context: CommandContext): Promise<void> {
  requireLocal(context);
  const { ensureDaemon, findDaemon } = await import('../../../client/index.ts');
  const options = await context.daemon();
  const running = await findDaemon(options);
  const record = running ?? (await ensureDaemon(options));
  tell(context, record, running === undefined ? 'Started the daemon' : 'The daemon is already running');
}

export async function stop(
  context: CommandContext,
  { whenIdle }: { readonly whenIdle: boolean },
): Promise<void> {
  requireLocal(context);
  const { terminal } = context;
  const { stopDaemon } = await import('../../../client/index.ts');
  const response = await stopDaemon(await context.daemon(), whenIdle ? 'idle' : 'now');
  if (terminal.json) {
    terminal.document(response ?? { v: 1, stopping: false, live_runs: 0 });
  } else if (response === undefined) {
    terminal.note('The daemon was not running.');
  } else if (whenIdle && response.live_runs > 0) {
    const runs = response.live_runs === 1 ? 'its last run ends' : `its ${response.live_runs} runs end`;
    terminal.note(`The daemon will stop after ${runs}.`);
  } else {
    terminal.note('The daemon has stopped.');
  }
}

export async function restart(context: CommandContext): Promise<void> {
  requireLocal(context);
  const { restartDaemon } = await import('../../../client/index.ts');
  tell(context, await restartDaemon(await context.daemon()), 'Restarted the daemon');
}

export async function status(context: CommandContext): Promise<number> {
  const { terminal } = context;
  const { findDaemon } = await import('../../../client/index.ts');
  if (!context.settings().isLocal) {
    const { daemon } = await (await context.client()).whoami();
    if (terminal.json) terminal.document({ v: 1, running: true, ...daemon });
    else terminal.print(`running at ${daemon.url} (version ${daemon.version})`);
    return 0;
  }
  const record = await findDaemon(await context.daemon());
  if (record !== undefined) {
    const { url, pid, version } = record;
    if (terminal.json) terminal.document({ v: 1, running: true, url, pid, version });
    else terminal.print(`running at ${url} (pid ${pid}, version ${version})`);
    return 0;
  }
  if (terminal.json) terminal.document({ v: 1, running: false, url: null, pid: null, version: null });
  else terminal.print('not running');
  return notRunningExitCode;
}

function tell({ terminal }: CommandContext, record: DaemonRecord, what: string): void {
  const { url, pid, version } = record;
  if (terminal.json) terminal.document({ v: 1, running: true, url, pid, version });
  else terminal.note(`${what}: ${url} (pid ${pid}).`);
}

function requireLocal(context: CommandContext): void {
  const { isLocal, baseUrl } = context.settings();
  if (isLocal) return;
  throw new AuthsomeError(
    'OperationNotAllowed',
    `the daemon at ${baseUrl} is remote; it cannot be started or stopped from here`,
    {
      hint: 'To use the daemon on this machine, unset AUTHSOME_BASE_URL.',
    },
  );
}
