import { AuthsomeError, asAuthsomeError } from '../errors.ts';
import { parseJson, withoutComments } from '../json.ts';
import { closest } from '../suggestion.ts';
import { type AsksInEachForm, asksOfDefinition } from './asks.ts';
import type { DefinitionFolder } from './definition-folder.ts';
import { isObject, type ParseOptions, parseProvider } from './parse/index.ts';
import type { Provider } from './provider.ts';

/** A file in `providers/` that cannot be used. */
interface DefinitionProblem {
  readonly name: string;
  readonly error: AuthsomeError;
}

export interface AddOptions {
  readonly replace: boolean;
  /** A person lets it name addresses of this machine. What the document itself says about that is left out. */
  readonly allowLoopback?: boolean;
  /** The URL that it was fetched from. */
  readonly from?: string | undefined;
}

/** A definition before it is stored. */
export interface DefinitionReview {
  readonly provider: Provider;
  readonly asks: AsksInEachForm;
  /** What the definition that it replaces asks for; `undefined` where there is none that can be read. */
  readonly before: AsksInEachForm | undefined;
}

/** Every known provider: the bundled ones, and a person's own, which take precedence. */
export interface Catalog {
  /**
   * `undefined` when there is no definition. Throws InvalidDefinition when a person's own definition is malformed: falling
   * back on the bundled one would route credentials that the person wanted elsewhere.
   */
  find(name: string, options?: ParseOptions): Provider | undefined;
  /** As `find`, but throws ProviderNotFound with a suggestion, and Usage for a base URL that the provider does not take. */
  resolve(name: string, baseUrl?: string): Provider;
  /** By name; without those in `problems`. */
  list(): readonly Provider[];
  /** Those whose programs sign in by themselves. No other definition is parsed for it. */
  capturing(): readonly Provider[];
  readonly problems: readonly DefinitionProblem[];
  /** What `add` would store. Throws as it does. */
  review(document: unknown, options: AddOptions): DefinitionReview;
  /**
   * Stores a person's own definition. Throws ProviderExists when there is one of that name, bundled or not, unless
   * `replace`.
   */
  add(document: unknown, options: AddOptions): Promise<Provider>;
  /** What `remove` would do. */
  removal(name: string): 'removed' | 'reset' | undefined;
  /** Removes a person's own definition: `reset` when a bundled one takes its place, `undefined` when there was none. */
  remove(name: string): Promise<'removed' | 'reset' | undefined>;
  /** Reads the person's own definitions again. */
  reload(): Promise<void>;
}

type Custom = { readonly document: unknown } | { readonly error: AuthsomeError };

/** A catalog over these bundled documents and that folder. Malformed files in it are reported, the others still load. */
export async function createCatalog(parts: {
  readonly bundled: readonly unknown[];
  readonly custom: DefinitionFolder;
}): Promise<Catalog> {
  const bundled = new Map(parts.bundled.map((document) => [nameIn(document), document]));
  let custom = await readAll(parts.custom);
  const parsed = new Map<string, Provider>();

  const find = (name: string, options: ParseOptions = {}): Provider | undefined => {
    const own = custom.get(name);
    if (own !== undefined && 'error' in own) throw own.error;
    const document = own?.document ?? bundled.get(name);
    if (document === undefined) return undefined;
    const source = own === undefined ? 'bundled' : 'custom';
    if (options.baseUrl !== undefined) return parseProvider(document, source, options);
    const known = parsed.get(name) ?? parseProvider(document, source);
    parsed.set(name, known);
    return known;
  };
  const removal = (name: string): 'removed' | 'reset' | undefined => {
    if (!custom.has(name)) return undefined;
    return bundled.has(name) ? 'reset' : 'removed';
  };
  const names = () => Array.from(new Set([...bundled.keys(), ...custom.keys()])).sort();
  const isUsable = (name: string) => !('error' in (custom.get(name) ?? {}));
  const reload = async () => {
    const before = custom;
    custom = await readAll(parts.custom);
    // The bundled ones stay parsed: parsing them all takes as long as the rest of a listing.
    for (const name of [...before.keys(), ...custom.keys()]) parsed.delete(name);
  };

  const review: Catalog['review'] = (given, options) => {
    const { replace } = options;
    const document = withOrigin(given, options);
    const provider = parseProvider(document, 'custom');
    const { name } = provider;
    const own = custom.get(name);
    if (!replace && names().includes(name)) {
      const kind = own === undefined ? 'bundled' : 'custom';
      throw new AuthsomeError('ProviderExists', `a ${kind} provider named ${name} already exists`);
    }
    const asks = asksOfDefinition(document, provider);
    const known = own === undefined || 'document' in own ? find(name) : undefined;
    const replaced = own !== undefined && 'document' in own ? own.document : bundled.get(name);
    return { provider, asks, before: known && asksOfDefinition(replaced, known) };
  };

  return {
    find,
    resolve(name, baseUrl) {
      const provider = find(name, { baseUrl });
      if (provider !== undefined) return provider;
      const meant = closest(name.toLowerCase(), names());
      throw new AuthsomeError(
        'ProviderNotFound',
        `no provider is named ${JSON.stringify(name)}`,
        meant === undefined ? {} : { hint: `Did you mean ${meant}? See also: authsome list --all` },
      );
    },
    list: () =>
      names()
        .filter(isUsable)
        .flatMap((name) => find(name) ?? []),
    capturing: () =>
      names().flatMap((name) => {
        const own = custom.get(name);
        if (own !== undefined && 'error' in own) return [];
        const document = own?.document ?? bundled.get(name);
        return isObject(document) && document.capture != null ? (find(name) ?? []) : [];
      }),
    get problems() {
      return Array.from(custom).flatMap(([name, own]) =>
        'error' in own ? [{ name, error: own.error }] : [],
      );
    },
    review,
    async add(given, options) {
      const { provider } = review(given, options);
      const document = withOrigin(given, options);
      await parts.custom.write(provider.name, `${JSON.stringify(document, undefined, 2)}\n`);
      await reload();
      return provider;
    },
    removal,
    async remove(name) {
      const outcome = removal(name);
      if (outcome === undefined || !(await parts.custom.remove(name))) return undefined;
      await reload();
      return outcome;
    },
    reload,
  };
}

/** The document with what is known of its origin, which it cannot say of itself. */
function withOrigin(document: unknown, { allowLoopback = false, from }: AddOptions): unknown {
  if (!isObject(document)) return document;
  const { allow_loopback: _, registered_from: __, ...rest } = document;
  const { discovered_from: ___, ...own } = rest;
  return {
    ...(from === undefined ? rest : { ...own, registered_from: from }),
    ...(allowLoopback ? { allow_loopback: true } : {}),
  };
}

async function readAll(folder: DefinitionFolder): Promise<ReadonlyMap<string, Custom>> {
  const entries = await Promise.all(
    (await folder.names()).map(async (name) => [name, await readOne(folder, name)] as const),
  );
  return new Map(entries.flatMap(([name, own]) => (own === undefined ? [] : [[name, own] as const])));
}

async function readOne(folder: DefinitionFolder, name: string): Promise<Custom | undefined> {
  try {
    const text = await folder.read(name);
    if (text === undefined) return undefined;
    const document = parseJson(withoutComments(text));
    if (document === undefined) throw new AuthsomeError('InvalidDefinition', '/: must be JSON');
    const provider = parseProvider(document, 'custom');
    if (provider.name !== name)
      throw new AuthsomeError('InvalidDefinition', `/name: must be ${name}, as the file's name says`);
    return { document };
  } catch (error) {
    const known = asAuthsomeError(error);
    return {
      error: new AuthsomeError(known.code, `providers/${name}.json ${known.message}`, {
        hint: `Fix that file, or remove it with: authsome remove ${name}`,
        cause: known.cause,
      }),
    };
  }
}

function nameIn(document: unknown): string {
  return (document as { readonly name: string }).name;
}
