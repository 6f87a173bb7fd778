/** Markup that is safe to send: made only by the `html` template, which escapes every value that is not one. */
import { isLoopbackHost } from '../../loopback.ts';

export class Html {
  readonly text: string;

  constructor(dangerRawText: string) {
    this.text = dangerRawText;
  }
}

type HtmlValue = Html | string | number | undefined | false | readonly HtmlValue[];

/** Markup with its values escaped for text and for quoted attributes; `undefined` and `false` vanish. */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  let text = strings[0] ?? '';
  for (const [index, value] of values.entries()) text += rendered(value) + (strings[index + 1] ?? '');
  return new Html(text);
}

function rendered(value: HtmlValue): string {
  if (value === undefined || value === false) return '';
  if (value instanceof Html) return value.text;
  if (Array.isArray(value)) return value.map(rendered).join('');
  return escaped(String(value));
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
};

function escaped(text: string): string {
  return text.replace(/[&<>"'`]/g, (character) => entities[character] ?? '');
}

/** The URL when it may stand in a link: https, or http on loopback. */
export function linkable(url: string | undefined): string | undefined {
  if (url === undefined || !URL.canParse(url)) return undefined;
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || (protocol === 'http:' && isLoopbackHost(hostname)) ? url : undefined;
}
