import { expect, it } from 'vitest';
import { definitions } from '../definitions/index.ts';
import { unknownFields, unknownFieldText } from './unknown-fields.ts';

const textsOf = (document: unknown) => unknownFields(document).map(unknownFieldText);

it('finds none in any bundled definition', () => {
  for (const document of definitions) expect(textsOf(document)).toEqual([]);
});

it('names each unknown field with its place, and the one that was probably meant', () => {
  const document = {
    name: 'acme',
    api_key: { header: 'X-Key', header_prefix: '' },
    inject: [{ hosts: 'a.example', placements: [{ kind: 'header', nmae: 'X' }] }],
    oauth: { authorization_params: { anything: 'x' }, qqq: 1 },
    self_hosted: { api_ur: 'x' },
    'a/b': 1,
  };
  expect(textsOf(document)).toEqual([
    'unknown field "header" (did you mean "header_name"?) at /api_key/header',
    'unknown field "nmae" (did you mean "name"?) at /inject/0/placements/0/nmae',
    'unknown field "qqq" at /oauth/qqq',
    'unknown field "api_ur" (did you mean "api_url"?) at /self_hosted/api_ur',
    expect.stringContaining(' at /a~1b'),
  ]);
});

it('finds nothing to complain of in what is no object', () => {
  expect([unknownFields(null), unknownFields('x'), unknownFields([1])]).toEqual([[], [], []]);
});
