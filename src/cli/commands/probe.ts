import type { Client, ProbeDocument, ProbeListDocument } from '../../client/index.ts';
import { asAuthsomeError, exitCodeOf } from '../../errors.ts';
import type { CommandModule } from '../command-table.ts';
import type { CommandContext } from '../context.ts';
import { addExamples } from '../help-text.ts';
import { formatTable } from '../output/table.ts';
import { exitOf, outcomeOf, type ProbeOutcome, unknown } from '../probe/outcome.ts';
import { requestThrough } from '../probe/request.ts';

const timeoutMs = 20_000;

type Wanted = ProbeListDocument['probes'][number];

/**
 * One harmless request for each connection, through a run of its own: whether the credential arrived, by what the service
 * answers and by what the proxy has on record.
 */
export async function probe(context: CommandContext, asked = ''): Promise<number> {
  const { terminal } = context;
  const slash = asked.indexOf('/');
  const provider = slash < 0 ? asked : asked.slice(0, slash);
  const connection = slash < 0 ? undefined : asked.slice(slash + 1);
  const client = await context.client();
  const { probes } = await client.probes({ provider: provider === '' ? undefined : provider, connection });
  const outcomes: ProbeOutcome[] = [];
  // One after the other, so that no service sees a burst.
  for (const wanted of probes) outcomes.push(await probeOne(client, wanted));
  const results: ProbeDocument['probes'] = outcomes.map(({ exit: _exit, ...outcome }, index) => {
    const { provider, connection } = probes[index] as Wanted;
    return { provider, connection, ...outcome };
  });
  if (terminal.json) terminal.document({ v: 1, probes: results } satisfies ProbeDocument);
  else if (results.length === 0)
    terminal.note('There is no connection to probe. Sign in with: authsome login');
  else {
    const rows = results.map((each) => [`${each.provider}/${each.connection}`, each.status, each.detail]);
    const { style } = terminal;
    terminal.print(formatTable(['CONNECTION', 'CREDENTIAL', 'DETAIL'], rows, { style, width: undefined }));
  }
  return exitOf(outcomes);
}

async function probeOne(client: Client, { provider, connection, request }: Wanted): Promise<ProbeOutcome> {
  const key = `${provider}/${connection}`;
  if (request === null) {
    return unknown('its definition names no request for this', exitCodeOf('OperationNotAllowed'));
  }
  const values = new Map<string, string>();
  try {
    const lease = await client.openRun({
      ...{ providers: [key], connections: {}, command: 'probe', ca_files: [] },
      values,
    });
    try {
      const response = await answerTo(lease.run, request);
      if (typeof response === 'string') return unknown(response, exitCodeOf('EndpointUnreachable'));
      const outcome = outcomeOf(response, request);
      if (outcome.status !== 'arrived' || (await wasPlaced(client, lease.run.run_id, key))) return outcome;
      const detail = `${outcome.detail}, but no route placed the credential`;
      return unknown(detail, exitCodeOf('OperationNotAllowed'), outcome.http_status);
    } finally {
      lease.close();
    }
  } catch (error) {
    const { code, message } = asAuthsomeError(error);
    return unknown(message, exitCodeOf(code));
  }
}

/** The response, or why there is none. */
async function answerTo(
  run: Parameters<typeof requestThrough>[0],
  request: NonNullable<Wanted['request']>,
): Promise<Awaited<ReturnType<typeof requestThrough>> | string> {
  try {
    return await requestThrough(run, request, timeoutMs);
  } catch (error) {
    return `cannot reach ${new URL(request.url).host}: ${(error as Error).message}`;
  }
}

/** Whether the run's request carried the credential: a service may answer 200 to anybody. */
async function wasPlaced(client: Client, run: string, key: string): Promise<boolean> {
  const { events } = await client.audit({ limit: 100 });
  return events.some(
    (event) =>
      event.event === 'decision' &&
      event.run === run &&
      event.action === 'injected' &&
      `${event.provider}/${event.connection}` === key,
  );
}

export const build: CommandModule['build'] = (command, context, finish) => {
  command
    .argument('[provider[/connection]]', 'without one: every connection')
    .action((asked: string | undefined) => finish(probe(context, asked)));
  addExamples(command, [
    ['authsome probe', 'every connection'],
    ['authsome probe github/work', ''],
  ]);
};
