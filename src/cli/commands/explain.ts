import type { DecisionPreviewDocument, ExplainDocument } from '../../client/index.ts';
import { AuthsomeError } from '../../errors.ts';
import type { CommandModule } from '../command-table.ts';
import type { CommandContext } from '../context.ts';
import { connectionOf } from '../global-flags.ts';
import { addExamples } from '../help-text.ts';
import { formatPairs } from '../output/pairs.ts';
import { joined, type SafeText, safe, text } from '../output/safe-text.ts';
import { localTime } from '../output/time.ts';

/** Why the proxy decided as it did: the request, the routes it considered, and the one it chose. */
export async function explain(context: CommandContext, id: string): Promise<void> {
  const client = await context.client();
  show(context, await client.decision(id));
}

export interface ExplainUrlOptions {
  readonly url?: string;
  readonly method?: string;
  readonly provider?: readonly string[];
  readonly connection?: readonly string[];
}

/** What the proxy would decide about a request to this URL, made in a run with these options. Sends nothing. */
export async function explainUrl(
  context: CommandContext,
  url: string,
  { method = 'GET', provider = [], connection = [] }: ExplainUrlOptions,
): Promise<void> {
  const connections = Object.fromEntries(connection.map(connectionOf));
  const client = await context.client();
  show(context, await client.previewDecision({ providers: provider, connections, method, url }));
}

function show(context: CommandContext, document: ExplainDocument | DecisionPreviewDocument): void {
  const { terminal } = context;
  if (terminal.json) terminal.document(document);
  else terminal.print(explanation(context, document));
}

function explanation(
  { terminal: { style } }: CommandContext,
  document: ExplainDocument | DecisionPreviewDocument,
): SafeText {
  const pairs = formatPairs(
    [
      ...(document.decision === null
        ? ([['decision', 'none: no request was made']] as const)
        : ([
            ['decision', document.decision],
            ['at', localTime(document.at)],
          ] as const)),
      ['request', requestLine(document)],
      ['outcome', document.outcome],
      ['reason', document.reason],
      ['route', document.route ?? 'none'],
      ['connection', document.connection ?? 'none'],
      ['rule', document.rule ?? 'none'],
      ['credential', document.placement ?? 'not placed'],
      ...missing(document),
    ],
    style,
  );
  const candidates = document.candidates.map((candidate) => {
    const mark = candidate.matched === true ? style.green(safe('✓')) : style.dim(safe('·'));
    return text`  ${mark} ${String(candidate.route)}  ${style.dim(safe(String(candidate.reason ?? '')))}`;
  });
  return joined([pairs, ...(candidates.length === 0 ? [] : ['', 'Routes considered:', ...candidates])], '\n');
}

type Explained = Pick<ExplainDocument, 'request' | 'placement' | 'missing_scopes' | 'hint'>;

/** With `https` where that is known: on its port, and wherever a credential was placed. */
function requestLine({ request: { method, host, port, path }, placement }: Explained): string {
  const scheme = host !== '' && (port === 443 || placement !== null) ? 'https://' : '';
  return `${method} ${scheme}${host}${port === 443 || host === '' ? '' : `:${port}`}${path}`;
}

/** The scopes that the service says are missing, and what to do. */
function missing({ missing_scopes: scopes, hint }: Explained): readonly (readonly [string, string])[] {
  return [
    ...(scopes.length === 0 ? [] : [['missing scope', scopes.join(' ')] as const]),
    ...(hint === null ? [] : [['hint', hint] as const]),
  ];
}

export const build: CommandModule['build'] = (command, context, finish) => {
  const collect = (value: string, earlier: readonly string[] = []): readonly string[] => [...earlier, value];
  command
    .argument('[decision]', 'the id of a decision (dec_…), or last')
    .option('--url <url>', 'a request that nobody has made: what would the proxy decide?')
    .option('--method <method>', 'its method (default: GET)')
    .option('-p, --provider <provider[/connection]>', 'as in run; may be repeated', collect)
    .option('--connection <provider=name>', 'as in run; may be repeated', collect)
    .action((id: string | undefined, options: ExplainUrlOptions) => finish(chosen(context, id, options)));
  addExamples(command, [
    ['authsome explain last', ''],
    ['authsome explain --url https://api.github.com/user', 'sends nothing'],
    ['authsome log --json | jq .events', 'find the ids'],
  ]);
};

async function chosen(
  context: CommandContext,
  id: string | undefined,
  options: ExplainUrlOptions,
): Promise<void> {
  const { url, ...others } = options;
  if (url !== undefined && id === undefined) return await explainUrl(context, url, others);
  if (id !== undefined && Object.keys(options).length === 0) return await explain(context, id);
  throw new AuthsomeError('Usage', 'explain takes either a decision, or --url and its options', {
    hint: 'For example: authsome explain last, or authsome explain --url https://api.github.com/user',
  });
}
