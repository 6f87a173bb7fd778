import type { Provider } from '../provider.ts';
import { hasChecksum } from './checksum.ts';
import { phantomOfPattern, type RandomBytes, randomText, usualRepeats } from './from-pattern.ts';
import { isJwt, jwtPhantom } from './jwt.ts';
import { type Shape, shapeOf } from './shape.ts';
import { drawText } from './stretches.ts';

type Definition = Pick<Provider, 'apiKey' | 'inject' | 'phantom'>;

/** A phantom may have these characters only: it must survive shells and configuration files, and be no command. */
const harmless = /^[A-Za-z0-9_.:@+=-]+$/;
/** As many characters of a secret in a row as a phantom may share with it, its public parts aside. */
const mostShared = 5;
const mostAttempts = 60;

/**
 * A stand-in in the shape of this secret: its public prefix, its alphabet, about its length. It passes the provider's
 * `key_pattern` where the secret does, says `phantom` where there is room, and differs every time.
 */
export function phantomOf(provider: Definition, secret: string, randomBytes: RandomBytes): string {
  if (provider.phantom !== undefined) return fromTemplate(provider.phantom, randomBytes);
  const jwt = isJwt(secret);
  const shape = shapeOf(provider, secret);
  for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
    // A secret that contains the mark by chance, or a pattern without room for it, gets a phantom without it.
    const isMarked = attempt < mostAttempts / 2;
    const text =
      jwt && attempt < mostAttempts / 4
        ? jwtPhantom(secret, attempt, randomBytes)
        : drawText(shape.stretches, isMarked, randomBytes);
    if (text !== undefined && isFit(provider, { text, secret, shape })) return text;
  }
  return phantomFor(provider, randomBytes);
}

/** A stand-in for a secret of the provider that is not known. */
export function phantomFor(provider: Pick<Provider, 'apiKey' | 'phantom'>, randomBytes: RandomBytes): string {
  if (provider.phantom !== undefined) return fromTemplate(provider.phantom, randomBytes);
  const expression = provider.apiKey?.keyPattern;
  if (expression === undefined) return `phantom-${randomText(32, randomBytes)}`;
  return phantomOfPattern(expression.source, randomBytes);
}

/**
 * What kind of secret it is, in a text: equal for two keys that one phantom can stand for, such as the ones before and
 * after a rotation.
 */
export function kindOfSecret(provider: Definition, secret: string): string {
  if (provider.phantom !== undefined) return 'template';
  const { prefix, isPair } = shapeOf(provider, secret);
  const form = isJwt(secret) ? 'jwt' : isPair ? 'pair' : 'plain';
  return `${form} ${formOf(provider, secret)} ${form === 'plain' ? prefix : ''}`;
}

/**
 * Whether the value can be a phantom by its own text: it says so, as every phantom that has room for the word does, or
 * it is made from the definition's template. For a provider whose keys all contain the word, only its template decides.
 */
export function couldBePhantom(provider: Pick<Provider, 'apiKey' | 'phantom'>, value: string): boolean {
  const keysSaySo = /phantom/i.test(provider.apiKey?.keyPattern?.source ?? '');
  return (!keysSaySo && /phantom/i.test(value)) || isFromTemplate(provider, value);
}

/** Whether the value could be made from the definition's own phantom (`export.phantom`). */
export function isFromTemplate(provider: Pick<Provider, 'phantom'>, value: string): boolean {
  if (provider.phantom === undefined) return false;
  const parts = provider.phantom
    .split('{random}')
    .map((part) => part.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'));
  return new RegExp(`^${parts.join(`[A-Za-z0-9]{${usualRepeats}}`)}$`).test(value);
}

function fromTemplate(template: string, randomBytes: RandomBytes): string {
  return template.replaceAll('{random}', () => randomText(usualRepeats, randomBytes));
}

interface Candidate {
  readonly text: string;
  readonly secret: string;
  readonly shape: Shape;
}

function isFit(provider: Definition, candidate: Candidate): boolean {
  const { text, secret } = candidate;
  return (
    harmless.test(text) &&
    formOf(provider, text) === formOf(provider, secret) &&
    !hasChecksum(text) &&
    !sharesTooMuch(candidate)
  );
}

/** Which of the provider's patterns the text satisfies: `key_pattern`, and the first of each rule's kinds of key. */
function formOf({ apiKey, inject }: Definition, text: string): string {
  const kinds = inject.map(({ shapes = [] }) => shapes.findIndex(({ pattern }) => pattern.test(text)));
  return `${apiKey?.keyPattern?.test(text) === true} ${[...new Set(kinds)].join(',')}`;
}

function sharesTooMuch({ text, secret, shape }: Candidate): boolean {
  const length = mostShared + 1;
  for (let start = shape.prefix.length; start + length <= secret.length; start += 1) {
    const isPublic = !shape.isHidden.slice(start, start + length).includes(true);
    if (!isPublic && text.includes(secret.slice(start, start + length))) return true;
  }
  return false;
}
