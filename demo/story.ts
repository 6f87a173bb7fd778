/** What the demo prints, and how many of its checks failed. */
export interface Story {
  chapter(title: string): void;
  command(line: string): void;
  fact(label: string, value: string, remark?: string): void;
  text(lines: string): void;
  /** Prints a sentence and whether it is true. */
  check(sentence: string, holds: boolean): void;
  readonly failures: number;
  readonly checks: number;
}

export function createStory(print: (line: string) => void, colors: boolean): Story {
  const paint = (code: number, text: string) => (colors ? `\x1b[${code}m${text}\x1b[0m` : text);
  let failures = 0;
  let checks = 0;
  return {
    chapter(title) {
      print(`\n${paint(1, title)}`);
    },
    command(line) {
      print(`  ${paint(2, '$')} ${paint(36, line)}`);
    },
    fact(label, value, remark) {
      print(`    ${label.padEnd(27)} ${value}${remark === undefined ? '' : paint(2, `  ${remark}`)}`);
    },
    text(lines) {
      for (const line of lines.trimEnd().split('\n')) print(`    ${line}`);
    },
    check(sentence, holds) {
      checks += 1;
      if (!holds) failures += 1;
      print(`  ${holds ? paint(32, '✓') : paint(31, '✗')} ${sentence}`);
    },
    get failures() {
      return failures;
    },
    get checks() {
      return checks;
    },
  };
}

/** Enough of a secret to tell it apart on a screen. */
export function glimpse(secret: string): string {
  return secret.length <= 12 ? secret : `${secret.slice(0, 10)}…`;
}
