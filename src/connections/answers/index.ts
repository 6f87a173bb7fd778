/** What token endpoints answer to programs that sign in by themselves, and what such a program gets instead. */
export { accountIn } from './account.ts';
export { expiryOf } from './jwt.ts';
export { type AnsweredGrant, filledAnswer, readTokenAnswer, renewedTemplate } from './token-answer.ts';
