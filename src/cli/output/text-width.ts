import { fromSafePieces, plainText, type SafeText } from './safe-text.ts';

/** Columns that `text` takes on a terminal: escape sequences none, wide characters two, combining marks none. */
export function textWidth(text: string | SafeText): number {
  let width = 0;
  for (const character of plainText(typeof text === 'string' ? text : text.written))
    width += characterWidth(character);
  return width;
}

/** `text` cut to `width` columns, with `…` where something was cut; escape sequences are not cut. */
export function cutText(text: SafeText, width: number): SafeText {
  if (textWidth(text) <= width) return text;
  let used = 0;
  let cut = '';
  let isFull = false;
  for (const piece of text.written.match(/\u001b\[[0-9;]*m|./gsu) ?? []) {
    if (piece.startsWith('\u001b')) {
      cut += piece;
      continue;
    }
    if (isFull) continue;
    const next = characterWidth(piece);
    if (used + next > width - 1) {
      isFull = true;
      cut += width > 0 ? '…' : '';
      continue;
    }
    used += next;
    cut += piece;
  }
  return fromSafePieces(cut);
}

/** `text` without spaces at its end. */
export function trimmedEnd({ written }: SafeText): SafeText {
  return fromSafePieces(written.trimEnd());
}

function characterWidth(character: string): number {
  if (/^[\p{Mark}\p{Cf}]$/u.test(character)) return 0;
  return /^(?:[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation})$/u.test(
    character,
  )
    ? 2
    : 1;
}
