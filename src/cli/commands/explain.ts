import type { ExplainDocument } from '../../client/index.ts';
import type { CommandModule } from '../command-table.ts';
import type { CommandContext } from '../context.ts';
import { addExamples } from '../help-text.ts';
import { formatPairs } from '../output/pairs.ts';
import { joined, type SafeText, safe, text } from '../output/safe-text.ts';
import { localTime } from '../output/time.ts';

/** Why the proxy decided as it did: the request, the routes it considered, and the one it chose. */
export async function explain(context: CommandContext, id: string): Promise<void> {
  const { terminal } = context;
  const client = await context.client();
  const document = await client.decision(id);
  if (terminal.json) terminal.document(document);
  else terminal.print(explanation(context, document));
}

function explanation({ terminal: { style } }: CommandContext, document: ExplainDocument): SafeText {
  const pairs = formatPairs(
    [
      ['decision', document.decision],
      ['at', localTime(document.at)],
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

/** With `https` where that is known: on its port, and wherever a credential was placed. */
function requestLine({ request: { method, host, port, path }, placement }: ExplainDocument): string {
  const scheme = host !== '' && (port === 443 || placement !== null) ? 'https://' : '';
  return `${method} ${scheme}${host}${port === 443 || host === '' ? '' : `:${port}`}${path}`;
}

/** The scopes that the service says are missing, and how to add them. */
function missing({ missing_scopes: scopes, hint }: ExplainDocument): readonly (readonly [string, string])[] {
  if (scopes.length === 0) return [];
  return [['missing scope', scopes.join(' ')], ...(hint === null ? [] : [['hint', hint] as const])];
}

export const build: CommandModule['build'] = (command, context, finish) => {
  command
    .argument('<decision>', 'the id of a decision (dec_…), or last')
    .action((id: string) => finish(explain(context, id)));
  addExamples(command, [
    ['authsome explain last', ''],
    ['authsome log --json | jq .events', 'find the ids'],
  ]);
};
