import { expect, it } from 'vitest';
import { styleFor } from '../output/style.ts';
import { formatContents, readContents } from './contents.ts';

const index = `# The manual

Read [run](run.md).

## Use

| | |
| --- | --- |
| [run](run.md) | Runs a command with \`HTTPS_PROXY\` set |

## Reference

- [errors](errors.md): Exit codes and error codes
- [project](project/README.md): not a page

## Options

Nothing to read.
`;

it('groups the pages under the headings of the index, each with the text beside its link', () => {
  expect(readContents(index, ['errors', 'run'])).toEqual([
    { title: 'Use', pages: [{ name: 'run', summary: 'Runs a command with HTTPS_PROXY set' }] },
    { title: 'Reference', pages: [{ name: 'errors', summary: 'Exit codes and error codes' }] },
  ]);
});

it('lists pages that the index leaves out last, even without an index', () => {
  expect(readContents(index, ['errors', 'new', 'run']).at(-1)).toEqual({
    title: 'More',
    pages: [{ name: 'new', summary: '' }],
  });
  expect(readContents('', ['run'])).toEqual([{ title: 'More', pages: [{ name: 'run', summary: '' }] }]);
});

it('shows a line a page, the summaries aligned across groups', () => {
  const groups = readContents(index, ['errors', 'run']);
  const style = styleFor(false);
  expect(formatContents(groups, { width: 60, style }).written).toBe(
    'Use:\n  run     Runs a command with HTTPS_PROXY set\n\nReference:\n  errors  Exit codes and error codes',
  );
  expect(formatContents(groups, { width: 24, style }).written).toBe(
    'Use:\n  run\n    Runs a command with\n    HTTPS_PROXY set\n\nReference:\n  errors\n    Exit codes and error\n    codes',
  );
});
