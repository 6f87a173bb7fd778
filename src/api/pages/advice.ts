import { type Html, html, linkable } from './html.ts';
import { copyable } from './layout.ts';

/**
 * A hint as a page shows it. Hints are written for a terminal, by line. A line that begins with a dash is an item. An authsome
 * command, or an address of this machine, at the end of a line can be copied. A line with a quotation mark before it may be
 * the provider's words, so nothing in it can be copied.
 */
export function advice(hint: string, settingsUrl: string | undefined): Html {
  const lines = hint.split('\n').map((line) => line.trim());
  const blocks: Html[] = [];
  let items: Html[] = [];
  const endList = (): void => {
    if (items.length > 0) blocks.push(html`<ul>${items}</ul>`);
    items = [];
  };
  for (const [index, line] of lines.entries()) {
    if (line.startsWith('- ')) {
      items.push(html`<li>${prose(line.slice(2), settingsUrl)}</li>`);
      continue;
    }
    endList();
    const [, text = line, copied] =
      /^([^"]*?)((?:authsome [a-z]|http:\/\/127\.0\.0\.1)(?:[^:]|:(?=\S))*)?$/.exec(line) ?? [];
    if (text !== '') blocks.push(html`<p>${prose(text.trim(), settingsUrl)}</p>`);
    if (copied !== undefined) blocks.push(copyable(`copied-${index}`, copied, 'it'));
  }
  endList();
  return html`<div class="advice">${blocks}</div>`;
}

/** Only the address that the definition itself names becomes a link: the rest may be the provider's own words. */
function prose(text: string, settingsUrl: string | undefined): readonly (Html | string)[] {
  const url = linkable(settingsUrl);
  if (url === undefined) return [text];
  const link = html`<a href="${url}" target="_blank" rel="noopener noreferrer">${url}</a>`;
  return text.split(url).flatMap((part, index) => (index === 0 ? [part] : [link, part]));
}
