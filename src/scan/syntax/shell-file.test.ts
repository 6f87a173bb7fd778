import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { replaceValues } from './assignment.ts';
import { parseShellFile } from './shell-file.ts';

const found = (text: string) =>
  parseShellFile(text).map(({ name, value, line, isReference }) =>
    isReference ? [name, line] : [name, value, line],
  );

describe('a shell profile', () => {
  it.each([
    ['export A=sk-12#3 # comment', [['A', 'sk-12#3', 1]]],
    [
      "export A='it'\\''s' B=2",
      [
        ['A', "it's", 1],
        ['B', '2', 1],
      ],
    ],
    [
      'export A="a\\"b c" ; B=x',
      [
        ['A', 'a"b c', 1],
        ['B', 'x', 1],
      ],
    ],
    ['declare -x A=1', [['A', '1', 1]]],
    ['[ -z "$A" ] && export A=1', [['A', '1', 1]]],
    ['if true; then export A=1; fi', [['A', '1', 1]]],
    ['A=1 command B=2', [['A', '1', 1]]],
    ['echo export A=1', []],
    ['# export A=1', []],
    [
      'export A="$B" C=$(pass x y) D=`pass` E=1',
      [
        ['A', 1],
        ['C', 1],
        ['D', 1],
        ['E', '1', 1],
      ],
    ],
    ['A=(one two)', [['A', '', 1]]],
    [
      'export A="one\ntwo"\nexport B=2\r\nexport C=3',
      [
        ['A', 'one\ntwo', 1],
        ['B', '2', 3],
        ['C', '3', 4],
      ],
    ],
    [
      'export A=one\\\ntwo\nB=3',
      [
        ['A', 'onetwo', 1],
        ['B', '3', 3],
      ],
    ],
    ['cat <<EOF\nexport A=1\nEOF\nexport B=2', [['B', '2', 4]]],
    ["cat <<-'EOF' > f\n\texport A=1\n\tEOF\nexport B=2", [['B', '2', 4]]],
    ['cat <<< word\nexport B=2', [['B', '2', 2]]],
    ['echo "never closed\nexport B=2', [['B', '2', 2]]],
    ['\ufeffexport A=1', [['A', '1', 1]]],
  ])('reads %j', (text, expected) => {
    expect(found(text)).toEqual(expected);
  });

  it.each([
    ["export A='old' # c", "export A='new' # c"],
    ['export A="old"; B=1', 'export A="new"; B=1'],
    ['  A=old cmd', '  A=new cmd'],
    ["export A=o'l'd", 'export A=new'],
  ])('keeps everything around the value of %j', (text, expected) => {
    const [assignment] = parseShellFile(text);
    if (assignment === undefined) throw new Error('nothing found');
    expect(replaceValues(text, [{ assignment, value: 'new' }])).toBe(expected);
  });

  it('never fails, and what it replaced it reads back', () => {
    const unit = fc.constantFrom(...'AB=\'"`\\#$;&|()<>{} \t\r\n', 'export ', '<<E\n');
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 40 }), (text) => {
        const assignments = parseShellFile(text).filter(
          ({ isReference, value }) => !isReference && value !== '',
        );
        const [first] = assignments;
        if (first === undefined) return;
        const after = parseShellFile(replaceValues(text, [{ assignment: first, value: 'new' }]));
        expect(after.map(({ name, value }) => [name, value])).toContainEqual([first.name, 'new']);
      }),
      { numRuns: 1_000 },
    );
  });
});
