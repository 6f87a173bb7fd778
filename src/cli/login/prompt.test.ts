import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { type KeyInput, readAnswer } from './prompt.ts';

function prompt(isShown = false, isFollowed = false) {
  const modes: boolean[] = [];
  const input: KeyInput = Object.assign(new PassThrough(), { setRawMode: (raw: boolean) => modes.push(raw) });
  const output = new PassThrough();
  const controller = new AbortController();
  const ask = () =>
    readAnswer({ input, output, message: 'API key: ', isShown, isFollowed, signal: controller.signal });
  const answer = ask();
  return {
    ask,
    answer,
    modes,
    controller,
    type: (text: string) => (input as PassThrough).write(text),
    shown: () => String(output.read() ?? ''),
  };
}

it('takes what is typed up to Enter and shows a bullet for each character', async () => {
  const { answer, type, shown, modes } = prompt();
  type('sk-');
  type('abc\r');
  expect(await answer).toBe('sk-abc');
  expect(shown()).toBe('API key: ••••••\n');
  expect(modes).toEqual([true, false]);
});

it('lets a person correct it, and takes a bracketed paste without its marks', async () => {
  const { answer, type } = prompt();
  type('wrong\u0015\u001b[200~sk-paste\u001b[201~\u001b[Dx\u007f\r');
  expect(await answer).toBe('sk-paste');
});

it.each(['\u0003', '\u0004'])('is cancelled by control character %j', async (key) => {
  const { answer, type, modes } = prompt();
  type(`sk-half${key}`);
  expect(await answer).toBeUndefined();
  expect(modes.at(-1)).toBe(false);
});

it('ends when the sign-in ended another way', async () => {
  const { answer, controller, modes } = prompt();
  controller.abort();
  expect(await answer).toBeUndefined();
  expect(modes).toEqual([true, false]);
});

it('shows what is typed where it is no secret', async () => {
  const { answer, type, shown } = prompt(true);
  type('Iv1.x\u007fab');
  type('\r');
  expect(await answer).toBe('Iv1.ab');
  expect(shown()).toBe('API key: Iv1.x\b \bab\n');
});

it('leaves the second line of a paste for the prompt that follows', async () => {
  const { answer, ask, type } = prompt(true);
  type('\u001b[200~the-id\r\nthe-secret\r\u001b[201~');
  expect(await answer).toBe('the-id');
  expect(await ask()).toBe('the-secret');
});

it('echoes no key between an answer and the prompt that follows it, and gives the terminal back in the end', async () => {
  const { answer, type, modes, controller, ask } = prompt(true, true);
  type('the-id\r');
  expect(await answer).toBe('the-id');
  expect(modes).toEqual([true]);
  controller.abort();
  expect(await ask()).toBeUndefined();
  expect(modes).toEqual([true, false]);
});

it('restores the terminal when a prompt that another one follows is cancelled', async () => {
  const { answer, type, modes } = prompt(true, true);
  type('\u0003');
  expect(await answer).toBeUndefined();
  expect(modes).toEqual([true, false]);
});
