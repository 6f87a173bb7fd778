import type { Client, LogDocument } from '../../client/index.ts';
import type { CommandModule } from '../command-table.ts';
import type { CommandContext } from '../context.ts';
import { countOption } from '../count-option.ts';
import { addExamples } from '../help-text.ts';
import { joined, type SafeText, safe } from '../output/safe-text.ts';
import type { Style } from '../output/style.ts';
import { cutText, trimmedEnd } from '../output/text-width.ts';
import { localTime } from '../output/time.ts';

export interface LogOptions {
  readonly limit: number;
  readonly follow: boolean;
  /** Also what strangers caused. */
  readonly all: boolean;
  /** Ends `--follow`. */
  readonly signal?: AbortSignal;
}

type LoggedEvent = LogDocument['events'][number];

const followWaitMs = 25_000;
/** The most events that the daemon sends at once. */
const pageSize = 1_000;

/** Prints events, oldest first; with `follow`, also new ones as they happen. */
export async function log(
  context: CommandContext,
  { limit, follow, all, signal }: LogOptions,
): Promise<void> {
  const { terminal } = context;
  const client = await context.client();
  let document = await newest(client, limit, all);
  if (!follow) {
    if (terminal.json) terminal.document(document);
    else if (document.events.length === 0) terminal.note('No events yet.');
    else for (const event of document.events) showEvent(context, event);
    return;
  }
  let after = '0';
  for (;;) {
    for (const event of document.events) {
      if (terminal.json) terminal.document(event);
      else showEvent(context, event);
      if (event.sequence !== undefined) after = String(event.sequence);
    }
    if (signal?.aborted === true) return;
    document = await client.audit({
      after,
      strangers: all,
      waitMs: followWaitMs,
      ...(signal === undefined ? {} : { signal }),
    });
  }
}

/** The last `limit` events. Reads pages from the newest back, so that older events are never read. */
async function newest(client: Client, limit: number, strangers: boolean): Promise<LogDocument> {
  const pages: LogDocument['events'][] = [];
  let before: string | undefined;
  for (let left = limit; left > 0; ) {
    const asked = Math.min(left, pageSize);
    const { events } = await client.audit({
      limit: asked,
      strangers,
      ...(before === undefined ? {} : { before }),
    });
    pages.push(events);
    left -= events.length;
    const first = events[0]?.sequence;
    if (events.length < asked || first === undefined) break;
    before = String(first);
  }
  return { v: 1, events: pages.reverse().flat() };
}

function showEvent({ terminal }: CommandContext, event: LoggedEvent): void {
  const line = eventLine(event, terminal.style);
  terminal.print(terminal.width === undefined ? line : cutText(line, terminal.width));
}

/** One event on one line: its time, name, outcome and connection. */
function eventLine(event: LoggedEvent, style: Style): SafeText {
  const { red, green, dim } = style;
  const text = (key: string): string => (typeof event[key] === 'string' ? (event[key] as string) : '');
  const outcome = text('outcome');
  const isWell = ['ok', 'injected', 'passed', 'tunnelled'].includes(outcome);
  const about = [text('provider'), text('connection')].filter((part) => part !== '').join('/');
  const parts = [
    dim(safe(localTime(text('at')))),
    text('event').padEnd(24),
    (isWell ? green : red)(safe(outcome.padEnd(10))),
    about,
    requestOf(event),
    text('reason') || text('detail'),
    callerOf(event),
    event.event === 'decision' ? dim(safe(text('id'))) : '',
  ];
  const shown = parts.filter((part) => part !== '');
  return trimmedEnd(joined(shown, '  '));
}

/** Which process asked, and in which run. A request's run is not shown: `explain` tells it. */
function callerOf(event: LoggedEvent): string {
  const { program, pid, run } = event;
  if (typeof program !== 'string') return '';
  return `by ${program} (pid ${String(pid)}${typeof run === 'string' ? `, in ${run}` : ''})`;
}

function requestOf(event: LoggedEvent): string {
  const { request } = event;
  if (typeof request !== 'object' || request === null) return '';
  const { method, host, port, path } = request as Readonly<Record<string, unknown>>;
  return `${String(method)} ${String(host)}${port === 443 ? '' : `:${String(port)}`}${String(path ?? '')}`;
}

export const build: CommandModule['build'] = (command, context, finish) => {
  command
    .option('-n, --lines <count>', 'how many events', countOption(1), 50)
    .option('-a, --all', 'also show events that strangers caused', false)
    .option('-f, --follow', 'keep printing new events', false)
    .action(({ lines, follow, all }: { lines: number; follow: boolean; all: boolean }) =>
      finish(log(context, { limit: lines, follow, all })),
    );
  addExamples(command, [
    ['authsome log -n 20', ''],
    ['authsome log --follow --json', 'one event per line'],
  ]);
};
