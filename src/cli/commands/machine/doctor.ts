import type { CheckDocument, DoctorDocument } from '../../../client/index.ts';
import { type AuthsomeError, asAuthsomeError } from '../../../errors.ts';
import type { CommandModule } from '../../command-table.ts';
import type { CommandContext } from '../../context.ts';
import { addExamples } from '../../help-text.ts';
import { joined, type SafeText, safe, text } from '../../output/safe-text.ts';

/** A failed check means that something cannot work: the same code as for a daemon that is not running. */
const failedExitCode = 9;

/** All checks, of this process and of the daemon. A daemon that does not respond is a failed check. */
export async function doctor(context: CommandContext): Promise<number> {
  const { terminal } = context;
  const document = summary([...ownChecks(context), ...(await daemonChecks(context))]);
  if (terminal.json) terminal.document(document);
  else for (const check of document.checks) terminal.print(checkText(context, check));
  return document.status === 'fail' ? failedExitCode : 0;
}

function summary(checks: readonly CheckDocument[]): DoctorDocument {
  const has = (status: CheckDocument['status']): boolean => checks.some((check) => check.status === status);
  return { v: 1, status: has('fail') ? 'fail' : has('warn') ? 'warn' : 'ok', checks };
}

async function daemonChecks(context: CommandContext): Promise<readonly CheckDocument[]> {
  try {
    const client = await context.client();
    const { checks } = await client.doctor();
    const { daemon } = await client.whoami();
    return [
      {
        name: 'daemon',
        status: 'ok',
        message: `${daemon.url}, pid ${daemon.pid}, version ${daemon.version}`,
        fix: null,
      },
      ...checks.filter(({ name }) => name !== 'daemon'),
    ];
  } catch (error) {
    return [failed(asAuthsomeError(error))];
  }
}

function failed({ message, hint }: AuthsomeError): CheckDocument {
  return { name: 'daemon', status: 'fail', message, fix: hint ?? null };
}

/** The checks of this process's own environment, which the daemon cannot see. */
function ownChecks({ environment, version }: CommandContext): readonly CheckDocument[] {
  const checks: CheckDocument[] = [
    {
      name: 'version',
      status: 'ok',
      message: `authsome ${version} on Node ${process.versions.node}`,
      fix: null,
    },
  ];
  const proxy =
    environment.HTTPS_PROXY ?? environment.https_proxy ?? environment.ALL_PROXY ?? environment.all_proxy;
  const exceptions = `${environment.NO_PROXY ?? ''},${environment.no_proxy ?? ''}`.split(/[\s,]+/);
  const isExempt = ['127.0.0.1', 'localhost', '*'].some((entry) => exceptions.includes(entry));
  if (proxy !== undefined && proxy !== '' && !isExempt) {
    checks.push({
      name: 'loopback',
      status: 'warn',
      message:
        "a proxy is set but NO_PROXY does not exempt loopback: a browser may not reach the sign-in's callback",
      fix: 'export NO_PROXY="$NO_PROXY,127.0.0.1,localhost"',
    });
  }
  return checks;
}

function checkText({ terminal: { style } }: CommandContext, check: CheckDocument): SafeText {
  const mark = {
    ok: style.green(safe('ok  ')),
    warn: style.yellow(safe('warn')),
    fail: style.red(safe('fail')),
  }[check.status];
  const first = text`${mark}  ${style.bold(safe(check.name))}: ${check.message}`;
  const fix = check.fix === null ? [] : check.fix.split('\n');
  return joined([first, ...fix], '\n        ');
}

export const build: CommandModule['build'] = (command, context, finish) => {
  command.action(() => finish(doctor(context)));
  addExamples(command, [
    ['authsome doctor', ''],
    ['authsome doctor --json', 'to attach to a bug report'],
  ]);
};
