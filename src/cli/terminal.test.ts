import { expect, it } from 'vitest';
import { text } from './output/safe-text.ts';
import { testContext } from './test-context.ts';

it('wraps what it says to a person between words, where stderr is a terminal', () => {
  const { context, output } = testContext({ columns: 24 });
  context.terminal.warn(text`Error: no provider is named "githb"\n  Did you mean: authsome login github`);
  expect(output.stderr).toBe(
    'Error: no provider is\nnamed "githb"\n  Did you mean:\n  authsome login github\n',
  );
});

it('wraps neither data nor what goes into a file or a pipe', () => {
  const long = 'one two three four five six seven';
  const onTerminal = testContext({ columns: 10 });
  onTerminal.context.terminal.print(long);
  expect(onTerminal.output.stdout).toBe(`${long}\n`);
  const piped = testContext();
  piped.context.terminal.warn(long);
  expect(piped.output.stderr).toBe(`${long}\n`);
});
