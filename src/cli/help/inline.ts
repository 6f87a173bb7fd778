import type { Token } from 'marked';
import { type SafeText, safe } from '../output/safe-text.ts';
import type { Style } from '../output/style.ts';

export interface InlineOptions {
  readonly style: Style;
  /** Names of the manual's pages: a link to one is shown as the command that opens it. */
  readonly pages: readonly string[];
}

type Mark = (text: SafeText) => SafeText;

interface Piece {
  readonly text: string;
  readonly mark: Mark;
}

/**
 * The words of a paragraph, a heading or a cell, without Markdown's marks. Each word has its own style, so that a line
 * can be broken between any two.
 */
export function wordsOf(
  tokens: readonly Token[] | undefined,
  options: InlineOptions,
  mark: Mark = (text) => text,
): readonly string[] {
  const words: string[] = [];
  let isOpen = false;
  for (const piece of piecesOf(tokens ?? [], options, mark)) {
    for (const part of piece.text.split(/(\s+)/)) {
      if (part === '') continue;
      if (/^\s/.test(part)) isOpen = false;
      else if (isOpen) words.push((words.pop() ?? '') + piece.mark(safe(part)).written);
      else {
        words.push(piece.mark(safe(part)).written);
        isOpen = true;
      }
    }
  }
  return words;
}

function piecesOf(tokens: readonly Token[], options: InlineOptions, mark: Mark): readonly Piece[] {
  const { style } = options;
  return tokens.flatMap((token): readonly Piece[] => {
    switch (token.type) {
      case 'codespan':
        return [{ text: token.text, mark: (text) => style.cyan(mark(text)) }];
      case 'strong':
      case 'em':
        return piecesOf(token.tokens ?? [], options, (text) => style.bold(mark(text)));
      case 'link': {
        const target = targetOf(token.href, options.pages);
        const shown = piecesOf(token.tokens ?? [], options, mark);
        const isSaid = target === undefined || target === token.text;
        return isSaid ? shown : [...shown, { text: ` (${target})`, mark }];
      }
      case 'br':
        return [{ text: ' ', mark }];
      default:
        if (token.type === 'text' && token.tokens !== undefined) {
          return piecesOf(token.tokens, options, mark);
        }
        return [{ text: token.type === 'escape' ? token.text : token.raw, mark }];
    }
  });
}

/** How a reader in a terminal gets to what a link leads to; `undefined` where there is nothing to type. */
function targetOf(href: string, pages: readonly string[]): string | undefined {
  if (/^https?:/.test(href)) return href;
  const page = /^([\w-]+)\.md(?:#|$)/.exec(href)?.[1];
  return page !== undefined && pages.includes(page) ? `authsome help ${page}` : undefined;
}
