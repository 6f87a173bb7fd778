import type { AsksDocument, ChangesDocument, RegisterDocument } from '../../client/index.ts';

/** What a definition asks for, one line each, and how that differs from the definition that it replaces. */
export function asksLines(document: RegisterDocument): readonly string[] {
  const { asks_for: asks, asks_for_with_base_url: withBaseUrl, changes } = document;
  return [
    `${String(document.display_name)} (${String(document.name)}) asks for:`,
    ...linesOf(asks),
    ...(withBaseUrl === null ? [] : ['With --base-url:', ...linesOf(withBaseUrl)]),
    ...(changes === null ? [] : changeLines([changes, document.changes_with_base_url])),
  ];
}

function linesOf(asks: AsksDocument): readonly string[] {
  const read = asks.variables_read.map(({ name, sent_to }) => `${name}, sent to ${sent_to.join(', ')}`);
  const rows: readonly (readonly [string, readonly string[]])[] = [
    ['sends the credential to', asks.hosts],
    ['in', asks.placements],
    ...asks.endpoints.map(({ name, url }) => [endpointName(name), [url]] as const),
    ['reads variables', read],
    ['sets variables', asks.variables_set],
    ['runs commands', asks.commands_run],
    ...(asks.turns_off.length === 0 ? [] : [['turns off', asks.turns_off.map(protectionOf)] as const]),
  ];
  const width = Math.max(...rows.map(([label]) => label.length));
  return rows.flatMap(([label, values]) =>
    (values.length === 0 ? ['none'] : values).map(
      (value, index) => `  ${(index === 0 ? label : '').padEnd(width)}  ${value}`,
    ),
  );
}

function changeLines([usual, withBaseUrl]: readonly [
  ChangesDocument,
  ChangesDocument | null,
]): readonly string[] {
  const lines = [
    ...marked(usual, ''),
    ...(withBaseUrl === null ? [] : marked(withBaseUrl, 'with --base-url: ')),
  ];
  if (lines.length === 0) return ['It asks for the same as the definition that it replaces.'];
  return ['It replaces a definition. Compared with that one:', ...lines];
}

function marked({ added, removed }: ChangesDocument, when: string): readonly string[] {
  return [
    ...partsOf(added).map((part) => `  + ${when}${part}`),
    ...partsOf(removed).map((part) => `  - ${when}${part}`),
  ];
}

function partsOf(asks: ChangesDocument['added']): readonly string[] {
  return [
    ...asks.hosts.map((host) => `sends the credential to ${host}`),
    ...asks.placements.map((place) => `sends the credential in ${place}`),
    ...asks.endpoints.map(({ name, url }) => `${endpointName(name)} ${url}`),
    ...asks.variables_read.map(({ name, sent_to }) => `reads ${name}, sent to ${sent_to.join(', ')}`),
    ...asks.variables_set.map((name) => `sets ${name}`),
    ...asks.turns_off.map((name) => `turns off ${protectionOf(name)}`),
  ];
}

/** Of a sign-in by the definition itself, an endpoint has the name of its field. */
function endpointName(name: string): string {
  return name === 'capture' ? 'keeps what programs get at' : name;
}

function protectionOf(name: string): string {
  if (name === 'oauth.iss') return 'the demand that a response says which server it is from (oauth.iss)';
  return name.replace(/^scrub at (.*)$/, 'the search for the credential in responses of $1 (scrub)');
}
