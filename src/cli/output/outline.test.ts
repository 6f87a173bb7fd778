import { expect, it } from 'vitest';
import { formatOutline } from './outline.ts';

it('shows a document as lines that can be read and searched', () => {
  const document = {
    name: 'github',
    oauth: { scopes: ['repo', 'read:user'], supports_dcr: true, authorization_params: {} },
    inject: [{ hosts: ['github.com'], basic: null }],
  };
  expect(formatOutline(document).written).toBe(
    [
      'name: github',
      'oauth:',
      '  scopes:',
      '    - repo',
      '    - read:user',
      '  supports_dcr: true',
      '  authorization_params: {}',
      'inject:',
      '  - hosts:',
      '      - github.com',
      '    basic: null',
    ].join('\n'),
  );
});

it('does not let a value pass for further lines', () => {
  expect(formatOutline({ note: 'x\nsource: bundled', 'a\nb': 1 }).written).toBe(
    'note: "x\\nsource: bundled"\n"a\\nb": 1',
  );
});
