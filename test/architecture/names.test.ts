import { relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { files, source } from './source.ts';

/** Path parts that say nothing about what is inside. */
const emptyNames = /^(utils?|helpers?|common|misc|shared|lib)(\.|$)|(^|[-.])(manager|helper|utils?)(\.|$)/i;

describe('files', () => {
  it('have names that say what is inside, in kebab case', () => {
    const faults = files
      .map((file) => relative(source, file))
      .filter((path) =>
        path.split('/').some((part) => emptyNames.test(part) || !/^[a-z0-9-]+(\.[a-z0-9-]+)*$/.test(part)),
      );
    expect(faults).toEqual([]);
  });
});
