import { expect, it } from 'vitest';
import { parseJson, withoutComments } from './json.ts';

it('reads comments and trailing commas as white space', () => {
  const text = '{ // the name\n  "name": "acme", /* of\n the service */ "list": [1, 2,],\n}';
  expect(parseJson(withoutComments(text))).toEqual({ name: 'acme', list: [1, 2] });
});

it('leaves strings as they are', () => {
  const document = { url: 'https://a.example/*x*/', quoted: 'say "//" and \\', list: ',]' };
  const text = JSON.stringify(document);
  expect(withoutComments(text)).toBe(text);
});

it('keeps every place where it was, and an error an error', () => {
  const text = '{ /* é\n */ "a": 1 // x';
  expect(withoutComments(text)).toHaveLength(text.length);
  expect(withoutComments(text).split('\n')).toHaveLength(2);
  for (const broken of ['{"a": 1', '/*', '"', '{"a": 1,,}', '{"a" 1}', '// only']) {
    expect(parseJson(withoutComments(broken))).toBeUndefined();
  }
});

it('takes linear time for what is never closed', () => {
  for (const part of ['/*', '"\\', '"\\"', ',  ', '//']) {
    expect(withoutComments(part.repeat(100_000))).toHaveLength(part.length * 100_000);
  }
});
