import { expect, it } from 'vitest';
import { AuthsomeError, errorDocument } from './errors.ts';

it('a failure’s document has the same keys whether anything helps or not', () => {
  expect(errorDocument(new AuthsomeError('Cancelled', 'sign-in cancelled'))).toEqual({
    v: 1,
    error: 'Cancelled',
    message: 'sign-in cancelled',
    hint: null,
  });
  expect(
    errorDocument(new AuthsomeError('SignInFailed', 'no', { hint: 'Try again', cause: 'secret' })),
  ).toEqual({
    v: 1,
    error: 'SignInFailed',
    message: 'no',
    hint: 'Try again',
    help: 'authsome help oauth-callbacks',
  });
});
