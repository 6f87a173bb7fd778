import type { Chance } from '../soak/payload.ts';
import { type Happening, type Input, phantom, type Step } from './play.ts';

const happenings: readonly Happening[] = [
  'client ends',
  'client goes',
  'upstream ends',
  'upstream breaks',
  'silence',
  'drained',
  'renewed',
  'not renewed',
  'refused',
  'allowed',
  'connected',
];
const lines = [
  'Content-Length: 0',
  'Content-Length: 5',
  'Content-Length: 05',
  'Content-Length: 18446744073709551617',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: Chunked',
  'Transfer-Encoding: gzip, chunked',
  'Connection: close',
  'Connection: keep-alive, X-A',
  'Connection: upgrade',
  'Upgrade: websocket',
  'Expect: 100-continue',
  'TE: trailers',
  'Host: b.test',
  'Authorization: Bearer mine',
  'X-A: b',
  ' folded',
  ' X-B: folded',
  'X-A : b',
];
const pieces = [
  '\r\n',
  '\n',
  '\r',
  '\0',
  ' ',
  ':',
  ';',
  '0\r\n\r\n',
  '5\r\nhello\r\n',
  'GET / HTTP/1.1\r\nHost: a.test\r\n\r\n',
  'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
  'HTTP/1.1 100 Continue\r\n\r\n',
  phantom,
  phantom.slice(0, 9),
  phantom.slice(9),
];
const maxSteps = 40;
const maxText = 4_000;

/** Changes an input in a few places, by what HTTP is made of; `other` gives what is spliced in. */
export function mutate(chance: Chance, input: Input, other: Input): Input {
  let steps = [...input.steps];
  for (let times = 1 + chance.below(4); times > 0; times -= 1)
    steps = mutateSteps(chance, steps, other.steps);
  return {
    patient: chance.happens(0.1) ? !input.patient : input.patient,
    reused: chance.happens(0.1) ? !input.reused : input.reused,
    renewable: chance.happens(0.1) ? !input.renewable : input.renewable,
    reads: chance.happens(0.1) ? chance.pick([undefined, 'in passing', 'before'] as const) : input.reads,
    steps: steps.slice(0, maxSteps),
  };
}

function mutateSteps(chance: Chance, steps: Step[], other: readonly Step[]): Step[] {
  const at = chance.below(steps.length + 1);
  const step = steps[at];
  switch (chance.below(9)) {
    case 0:
      return steps.toSpliced(at, 0, { event: chance.pick(happenings) });
    case 1:
      return steps.toSpliced(at, 1);
    case 2:
      return step === undefined ? steps : steps.toSpliced(chance.below(steps.length + 1), 0, step);
    case 3:
      return [...steps.slice(0, at), ...other.slice(chance.below(other.length + 1))];
    case 4:
      return step !== undefined && 'side' in step ? steps.toSpliced(at, 1, ...cut(chance, step)) : steps;
    default:
      return step !== undefined && 'side' in step
        ? steps.with(at, { side: step.side, text: mutateText(chance, step.text).slice(0, maxText) })
        : steps;
  }
}

/** The same bytes in two segments. */
function cut(
  chance: Chance,
  { side, text }: { readonly side: 'client' | 'upstream'; readonly text: string },
): Step[] {
  const at = chance.below(text.length + 1);
  return [text.slice(0, at), text.slice(at)]
    .filter((part) => part !== '')
    .map((part) => ({ side, text: part }));
}

function mutateText(chance: Chance, text: string): string {
  const at = chance.below(text.length + 1);
  const to = Math.min(text.length, at + chance.size(40));
  switch (chance.below(8)) {
    case 0:
      return text.slice(0, at) + text.slice(to);
    case 1:
      return text.slice(0, to) + text.slice(at);
    case 2:
      return (
        text.slice(0, at) +
        String.fromCharCode((text.charCodeAt(at) || 0) ^ (1 << chance.below(8))) +
        text.slice(at + 1)
      );
    case 3:
      return text.slice(0, at) + chance.pick(pieces) + text.slice(at);
    case 4: {
      // A whole field line, where one may be.
      const line = text.indexOf('\r\n', at);
      return line === -1 ? text : `${text.slice(0, line)}\r\n${chance.pick(lines)}${text.slice(line)}`;
    }
    case 5: {
      const number = /\d+/.exec(text.slice(at));
      if (number === null) return text;
      const start = at + number.index;
      const changed = chance.pick([
        '0',
        '1',
        '5',
        '204',
        '304',
        '101',
        '401',
        'ffffffff',
        String(Number(number[0]) + chance.below(3) - 1),
      ]);
      return text.slice(0, start) + changed + text.slice(start + number[0].length);
    }
    case 6:
      return text + text.slice(0, to);
    default:
      return text.slice(0, at) + String.fromCharCode(chance.below(256)) + text.slice(at + 1);
  }
}
