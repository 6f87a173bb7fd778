/**
 * A usage error of commander in the words that all other errors use. Text of commander's that is not known here stays as
 * it is, with double quotes.
 */
export function usageMessage(message: string): string {
  const text = message.split('\n')[0]?.replace(/^error: /, '') ?? '';
  for (const [pattern, rewrite] of rewrites) {
    const match = pattern.exec(text);
    if (match !== null) return rewrite(match.slice(1));
  }
  return text.replaceAll("'", '"');
}

type Rewrite = (parts: readonly string[]) => string;

const rewrites: readonly (readonly [RegExp, Rewrite])[] = [
  [
    /^option '(?:-\w, )?(--[\w-]+)[^']*' argument '(.*)' is invalid\. (.*)$/,
    ([option, value, why = '']) => `invalid value "${value}" for ${option}: ${reasonOf(why)}`,
  ],
  [
    /^command-argument value '(.*)' is invalid for argument '(.*)'\. (.*)$/,
    ([value, argument, why = '']) => `invalid ${argument} "${value}": ${reasonOf(why)}`,
  ],
  [/^option '(?:-\w, )?(--[\w-]+)[^']*' argument missing$/, ([option]) => `${option} needs a value`],
  [/^missing required argument '(.*)'$/, ([argument]) => `missing argument: <${argument}>`],
  [
    /^too many arguments for '(.*)'\. Expected (\d+) arguments? but got (\d+)\.$/,
    ([command, expected, got]) => `too many arguments for ${command}: expected ${expected}, got ${got}`,
  ],
  [/^unknown (option|command) '(.*)'$/, ([what, word]) => `unknown ${what}: ${word}`],
];

function reasonOf(sentence: string): string {
  return sentence
    .replace(/^Allowed choices are /, 'must be one of ')
    .replace(/^It must/, 'must')
    .replace(/\.$/, '');
}
