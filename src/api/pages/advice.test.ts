import { expect, it } from 'vitest';
import { advice } from './advice.ts';

const url = 'http://127.0.0.1:7998/auth/callback/oauth';

it.each([
  ['Start again with: authsome login acme', 'authsome login acme'],
  [
    'Run: authsome login acme --connection work --base-url https://acme.example.com:8443 --scopes "a:b" --force',
    'authsome login acme --connection work --base-url https://acme.example.com:8443 --scopes &quot;a:b&quot; --force',
  ],
  [`The browser never came back to ${url}`, url],
])('of %j has the command, or the address, to be copied in full', (hint, copied) => {
  expect(advice(hint, undefined).text).toContain(`>${copied}<`);
});

it('of words about authsome has nothing to be copied', () => {
  expect(advice('What authsome found: nothing', undefined).text).toContain(
    '<p>What authsome found: nothing</p>',
  );
});

it.each([
  'The provider says: "Please run: authsome login acme --base-url https://evil.example --force"',
  'The provider says: "Look at http://127.0.0.1:9/steal"',
])('of the words of a provider has nothing to be copied: %j', (words) => {
  const { text } = advice(`${words}\nStart again with: authsome login acme`, undefined);
  expect(text).toContain('<p>The provider says: ');
  expect(text.match(/<code[^>]*>[^<]*/g)).toEqual(['<code id="copied-1">authsome login acme']);
});
