import { fromSafePieces, type SafeText } from './safe-text.ts';

type Mark = (text: SafeText) => SafeText;

/** Ways to mark text for a person. Each returns the text unchanged where colors are off. Data has to be made safe first. */
export interface Style {
  readonly bold: Mark;
  readonly dim: Mark;
  readonly red: Mark;
  readonly green: Mark;
  readonly yellow: Mark;
  readonly cyan: Mark;
}

// Four SGR pairs are enough: a color library would be one more module to load before `run` can start.
const colored: Style = {
  bold: sgr(1, 22),
  dim: sgr(2, 22),
  red: sgr(31, 39),
  green: sgr(32, 39),
  yellow: sgr(33, 39),
  cyan: sgr(36, 39),
};
const same: Mark = (text) => text;
const uncolored: Style = { bold: same, dim: same, red: same, green: same, yellow: same, cyan: same };

export function styleFor(shown: boolean): Style {
  return shown ? colored : uncolored;
}

function sgr(open: number, close: number): Mark {
  return ({ written }) => fromSafePieces(`\u001b[${open}m${written}\u001b[${close}m`);
}
