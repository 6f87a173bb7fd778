import { parsePattern } from '../pattern.ts';
import type { Provider } from '../provider.ts';
import { type Prefix, publicPrefix } from './prefix.ts';
import { charsLike, lengthClass, type Stretch, sized } from './stretches.ts';
import { type Step, walkPattern } from './walk.ts';

/** The shape of a secret: what a phantom has in common with it. */
export interface Shape {
  /** Public. */
  readonly prefix: string;
  /** `user:password`. */
  readonly isPair: boolean;
  readonly stretches: readonly Stretch[];
  /** Which characters of the secret no phantom has at the same place: all but its public ones. */
  readonly isHidden: readonly boolean[];
}

const printable = Array.from({ length: 94 }, (_, index) => String.fromCharCode(0x21 + index)).join('');
/** A last group of so few characters, as in `-us19`, names a place. Programs make an address of it. */
const longestPlace = 4;

export function shapeOf({ apiKey, inject }: Pick<Provider, 'apiKey' | 'inject'>, secret: string): Shape {
  const shapes = inject.flatMap((rule) => rule.shapes ?? []).map(({ pattern }) => pattern);
  const patterns = [...shapes, ...(apiKey?.keyPattern === undefined ? [] : [apiKey.keyPattern])];
  const matching = patterns.find((pattern) => pattern.test(secret));
  const walked = matching === undefined ? undefined : walkPattern(parsePattern(matching.source), secret);
  const isPair = secret.includes(':') && inject.some(({ placements }) => placements.some(isForPair));
  const found = publicPrefix(secret);
  // What is the same in all keys that a pattern takes is no secret.
  const literal = walked === undefined ? '' : leadingLiteral(walked);
  const prefix = literal.length > found.text.length ? { ...found, text: literal } : found;
  const steps = walked ?? stepsOf(secret, { prefix, isPair });
  const stretches = stretchesOf(secret, steps, prefix);
  return { prefix: prefix.text, isPair, ...stretches };
}

function isForPair(placement: Provider['inject'][number]['placements'][number]): boolean {
  return placement.kind === 'basic' && placement.secretAs === 'pair';
}

function leadingLiteral(steps: readonly Step[]): string {
  const end = steps.findIndex(({ set }) => set.length > 1);
  return steps
    .slice(0, end === -1 ? steps.length : end)
    .map(({ text }) => text)
    .join('');
}

/** As `walkPattern`, of a secret that nothing but its text tells about. */
function stepsOf(
  secret: string,
  { prefix, isPair }: { readonly prefix: Prefix; readonly isPair: boolean },
): readonly Step[] {
  const body = secret.slice(prefix.text.length);
  const separators = prefix.hasParts ? /([-_.:])/ : isPair ? /([.:])/ : /(\.)/;
  const before = Array.from(prefix.text, fixedStep);
  const steps = body
    .split(separators)
    .filter((part) => part !== '')
    .map((text) =>
      text.length === 1 && separators.test(text)
        ? fixedStep(text)
        : { text, set: printable, min: 1, max: Number.POSITIVE_INFINITY },
    );
  return [...before, ...steps];
}

function fixedStep(text: string): Step {
  return { text, set: text, min: 1, max: 1 };
}

function stretchesOf(
  secret: string,
  steps: readonly Step[],
  { text: prefix, isKnown, hasParts }: Prefix,
): Pick<Shape, 'stretches' | 'isHidden'> {
  const place = startOfPlace(secret, steps);
  // The parts of a UUID are too short to tell by themselves what they are made of.
  const sample = hasParts && !isKnown ? secret.slice(prefix.length).replaceAll('-', '') : undefined;
  const stretches: Stretch[] = [];
  const isHidden: boolean[] = [];
  const show = (text: string): void => {
    if (text !== '') stretches.push({ kind: 'fixed', text });
    for (const _ of text) isHidden.push(false);
  };
  const hide = (step: Step): void => {
    const chars = charsLike(sample ?? step.text, step.set);
    const wanted = isKnown ? step.text.length : lengthClass(step.text.length);
    const count = Math.max(step.min, Math.min(step.max, wanted));
    stretches.push({ kind: 'random', chars, count, min: step.min, max: step.max });
    for (const _ of step.text) isHidden.push(true);
  };
  let at = 0;
  for (const step of steps) {
    const { text, set, max } = step;
    const open = Math.min(text.length, Math.max(0, prefix.length - at));
    const isPublic = set.length === 1 || at >= place || open === text.length;
    if (isPublic) show(text);
    else if (hasParts && max > 1) {
      show(text.slice(0, open));
      for (const part of text.slice(open).split(/([-_.:])/)) {
        if (/^[-_.:]$/.test(part)) show(part);
        else if (part !== '') hide({ text: part, set, min: part.length, max: part.length });
      }
    } else {
      show(text.slice(0, open));
      hide({ ...step, text: text.slice(open), min: Math.max(0, step.min - open), max: step.max - open });
    }
    at += text.length;
  }
  return { stretches: sized(stretches), isHidden };
}

/** Where the last group begins that names a place; the end of the secret where none does. */
function startOfPlace(secret: string, steps: readonly Step[]): number {
  let at = secret.length;
  for (const { text, set } of steps.toReversed()) {
    if (secret.length - at > longestPlace) return secret.length;
    if (set === '-' || set === '.') return secret.length - at <= longestPlace ? at : secret.length;
    at -= text.length;
  }
  return secret.length;
}
