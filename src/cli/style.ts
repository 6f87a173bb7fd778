/** Ways to mark text for a person. Each returns the text unchanged where colors are off. */
export interface Style {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly cyan: (text: string) => string;
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
const same = (text: string): string => text;
const uncolored: Style = { bold: same, dim: same, red: same, green: same, yellow: same, cyan: same };

export function styleFor(shown: boolean): Style {
  return shown ? colored : uncolored;
}

function sgr(open: number, close: number): (text: string) => string {
  return (text) => `\u001b[${open}m${text}\u001b[${close}m`;
}
