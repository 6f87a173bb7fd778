import type { DaemonRecord } from '../../../client/index.ts';
import { AuthsomeError } from '../../../errors.ts';
import type { CommandContext } from '../../context.ts';

/** The same as for any command that finds no daemon. */
const notRunningExitCode = 9;

export async function start(context: CommandContext): Promise<void> {
  requireLocal(context);
  const { ensureDaemon, findDaemon } = await import('../../../client/index.ts');
  const options = await context.daemon();
  const running = await findDaemon(options);
  const record = running ?? (await ensureDaemon(options));
  tell(context, record, running === undefined ? 'The daemon has started' : 'The daemon was running already');
}

export async function stop(
  context: CommandContext,
  { whenIdle }: { readonly whenIdle: boolean },
): Promise<void> {
  requireLocal(context);
  const { terminal } = context;
  const { stopDaemon } = await import('../../../client/index.ts');
  const answer = await stopDaemon(await context.daemon(), whenIdle ? 'idle' : 'now');
  if (terminal.json) {
    terminal.document(answer ?? { v: 1, stopping: false, live_runs: 0 });
  } else if (answer === undefined) {
    terminal.note('The daemon was not running.');
  } else if (whenIdle && answer.live_runs > 0) {
    const runs = answer.live_runs === 1 ? 'its last run' : `its ${answer.live_runs} runs`;
    terminal.note(`The daemon will stop when ${runs} ended.`);
  } else {
    terminal.note('The daemon has stopped.');
  }
}

export async function restart(context: CommandContext): Promise<void> {
  requireLocal(context);
  const { restartDaemon } = await import('../../../client/index.ts');
  tell(context, await restartDaemon(await context.daemon()), 'The daemon has started');
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
  throw new AuthsomeError('OperationNotAllowed', `the daemon at ${baseUrl} is not ours to start or stop`, {
    hint: 'Unset AUTHSOME_BASE_URL to use the daemon of this machine.',
  });
}
