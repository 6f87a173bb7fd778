import type { Placement } from '../../providers/index.ts';
import { compileInjection } from '../inject/index.ts';
import { Needles } from './needles.ts';

/** Shorter secrets would be found in innocent text. */
const minSecretLength = 8;
const withoutPhantom = 'authsome-removed-this-secret';

export const noNeedles = new Needles([]);

/** The spellings in which a service sends back what it got: as it is, in a URL, in JSON, in JSON as PHP writes it. */
function spellings(text: string): readonly string[] {
  const json = JSON.stringify(text).slice(1, -1);
  return [text, encodeURIComponent(text), json, json.replaceAll('/', '\\/')];
}

/** What to look for in answers to requests that carried this secret; nothing for a very short one. */
export function compileNeedles(
  placements: readonly Placement[],
  secret: string,
  phantom: string = withoutPhantom,
): Needles {
  if (secret.length < minSecretLength || secret === phantom) return noNeedles;
  const found = new Map<string, string>();
  const replacements = spellings(phantom);
  for (const [index, spelling] of spellings(secret).entries()) {
    if (!found.has(spelling)) found.set(spelling, replacements[index] as string);
  }
  const real = compileInjection(placements, secret)?.fields ?? [];
  const stand = compileInjection(placements, phantom)?.fields ?? [];
  for (const [index, field] of real.entries()) {
    const encoded = /^Basic (\S+)$/.exec(field.value)?.[1];
    if (encoded === undefined || placements[index]?.kind === 'query') continue;
    found.set(encoded, /^Basic (\S+)$/.exec(stand[index]?.value ?? '')?.[1] ?? withoutPhantom);
  }
  return new Needles(
    [...found].map(([text, replacement]) => ({
      bytes: Buffer.from(text),
      replacement: Buffer.from(replacement),
    })),
  );
}
