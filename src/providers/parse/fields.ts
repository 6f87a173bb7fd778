import { jsonPointer } from '../../json.ts';
import { isLoopbackName, isThisMachine } from '../../loopback.ts';
import { Fault } from '../fault.ts';
import { canonicalTarget } from '../host.ts';

/** A fault with the JSON pointer (RFC 6901) of the field that has it. */
export class PointedFault extends Error {
  override readonly name = 'PointedFault';
  readonly pointer: string;
  readonly sentence: string;
  constructor(pointer: string, sentence: string) {
    super(`${pointer}: ${sentence}`);
    this.pointer = pointer;
    this.sentence = sentence;
  }
}

export interface TextForm {
  readonly pattern: RegExp;
  readonly sentence: string;
}

export const printableForm: TextForm = {
  pattern: /^[^\p{Cc}\p{Cf}]{1,120}$/u,
  sentence: 'must be printable text of at most 120 characters',
};

export const sentenceForm: TextForm = {
  pattern: /^[^\p{Cc}\p{Cf}]{1,300}$/u,
  sentence: 'must be printable text of at most 300 characters',
};

export const variableForm: TextForm = {
  pattern: /^[A-Za-z_][A-Za-z0-9_]{0,127}$/,
  sentence: 'must be the name of an environment variable',
};

/** Stands for `{base_url}` until a person gives one, so that the rest of the text can be checked. */
const standInBaseUrl = 'https://base-url.invalid';
const template = '{base_url}';

/** Which addresses a definition may name. */
export interface Places {
  /** What `{base_url}` stands for. */
  readonly baseUrl: string | undefined;
  /** `host:port` that a person named, wherever that is. */
  readonly named: string | undefined;
  /** `allow_loopback`: a person lets the definition name addresses of this machine. */
  readonly allowsLoopback: boolean;
}

/** One object of a definition, read field by field; `null` counts as absent. Every fault names its field. */
export class Fields {
  readonly #object: Readonly<Record<string, unknown>>;
  readonly #pointer: string;
  readonly #places: Places;

  constructor(value: unknown, pointer: string, places: Places) {
    if (!isObject(value)) throw new PointedFault(pointer, 'must be an object');
    this.#object = value;
    this.#pointer = pointer;
    this.#places = places;
  }

  pointer(key: string | number): string {
    return this.#pointer + jsonPointer([key]);
  }

  fault(key: string, sentence: string): never {
    throw new PointedFault(this.pointer(key), sentence);
  }

  faultAt(pointer: string, sentence: string): never {
    throw new PointedFault(pointer, sentence);
  }

  has(key: string): boolean {
    return Object.hasOwn(this.#object, key) && this.#object[key] !== null;
  }

  text(key: string, form?: TextForm): string | undefined {
    if (this.#value(key) === '') this.fault(key, 'must be a string that is not empty');
    return this.possiblyEmptyText(key, form);
  }

  possiblyEmptyText(key: string, form?: TextForm): string | undefined {
    const value = this.#value(key);
    if (value === undefined) return undefined;
    if (typeof value !== 'string') this.fault(key, 'must be a string');
    if (form !== undefined && !form.pattern.test(value)) this.fault(key, form.sentence);
    return value;
  }

  oneOf<Choice extends string>(key: string, choices: readonly Choice[]): Choice | undefined {
    const value = this.#value(key);
    if (value === undefined) return undefined;
    const found = choices.find((choice) => choice === value);
    return found ?? this.fault(key, `must be one of ${choices.join(', ')}`);
  }

  flag(key: string, fallback: boolean): boolean {
    const value = this.#value(key);
    if (value === undefined) return fallback;
    return typeof value === 'boolean' ? value : this.fault(key, 'must be true or false');
  }

  /** One string or a list of them, each with the pointer of its own place. */
  texts(key: string, most = 1000): readonly { readonly text: string; readonly pointer: string }[] {
    const value = this.#value(key);
    if (value === undefined) return [];
    if (typeof value === 'string') return [{ text: value, pointer: this.pointer(key) }];
    if (!Array.isArray(value)) this.fault(key, 'must be a string or a list of strings');
    if (value.length > most) this.fault(key, `must not be longer than ${most} entries`);
    return value.map((text: unknown, index) => {
      const pointer = `${this.pointer(key)}/${index}`;
      if (typeof text !== 'string' || text === '')
        throw new PointedFault(pointer, 'must be a string that is not empty');
      return { text, pointer };
    });
  }

  params(key: string): Readonly<Record<string, string>> {
    const value = this.#value(key) ?? {};
    if (!isObject(value)) this.fault(key, 'must be an object of strings');
    for (const [name, text] of Object.entries(value)) {
      if (typeof text !== 'string')
        throw new PointedFault(this.pointer(key) + jsonPointer([name]), 'must be a string');
    }
    return value as Readonly<Record<string, string>>;
  }

  object(key: string): Fields | undefined {
    const value = this.#value(key);
    return value === undefined ? undefined : new Fields(value, this.pointer(key), this.#places);
  }

  /** The names in an object, in their order; none where it is absent. */
  keys(key: string): readonly string[] {
    const value = this.#value(key);
    return isObject(value) ? Object.keys(value) : [];
  }

  objects(key: string, most = 1000): readonly Fields[] {
    const value = this.#value(key);
    return value === undefined ? [] : this.#objectsIn(value, this.pointer(key), most);
  }

  /** A list of lists of objects. */
  objectLists(key: string, most: number): readonly (readonly Fields[])[] {
    const value = this.#value(key);
    if (value === undefined) return [];
    const pointer = this.pointer(key);
    return listIn(value, pointer, most).map((list, index) =>
      this.#objectsIn(list, `${pointer}/${index}`, most),
    );
  }

  #objectsIn(value: unknown, pointer: string, most: number): readonly Fields[] {
    return listIn(value, pointer, most).map(
      (item, index) => new Fields(item, `${pointer}/${index}`, this.#places),
    );
  }

  /** An absolute https URL (http on loopback), `{base_url}` replaced; `undefined` while there is no base URL. */
  url(key: string): string | undefined {
    const text = this.text(key);
    if (text === undefined) return undefined;
    const { resolved, isPending } = this.resolve(text);
    const sentence = secureUrlFault(resolved) ?? placeFault(new URL(resolved), this.#places);
    if (sentence !== undefined) this.fault(key, sentence);
    return isPending ? undefined : resolved;
  }

  /** An https URL for people to open; a fragment may name the place on the page. */
  page(key: string): string | undefined {
    const text = this.text(key);
    if (text === undefined) return undefined;
    const { resolved, isPending } = this.resolve(text);
    const sentence =
      secureUrlFault(resolved.split('#', 1)[0] ?? '') ??
      printableFault(resolved) ??
      placeFault(new URL(resolved), this.#places);
    if (sentence !== undefined) this.fault(key, sentence);
    return isPending ? undefined : resolved;
  }

  resolve(text: string): { readonly resolved: string; readonly isPending: boolean } {
    const isTemplate = text.includes(template);
    const resolved = isTemplate ? text.replaceAll(template, this.#places.baseUrl ?? standInBaseUrl) : text;
    return { resolved, isPending: isTemplate && this.#places.baseUrl === undefined };
  }

  /** Why a credential must not go to this host and port. */
  placeFault(target: { readonly host: string; readonly port: number }): string | undefined {
    const hostname = target.host.includes(':') ? `[${target.host}]` : target.host;
    const host = target.port === 443 ? hostname : `${hostname}:${target.port}`;
    return placeFault({ hostname, host }, this.#places);
  }

  #value(key: string): unknown {
    return this.has(key) ? this.#object[key] : undefined;
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function listIn(value: unknown, pointer: string, most: number): readonly unknown[] {
  if (!Array.isArray(value) || value.length === 0)
    throw new PointedFault(pointer, 'must be a list that is not empty');
  if (value.length > most) throw new PointedFault(pointer, `must not be longer than ${most} entries`);
  return value;
}

/** Adds the pointer to a Fault thrown inside. */
export function at<Value>(pointer: string, parse: () => Value): Value {
  try {
    return parse();
  } catch (error) {
    throw error instanceof Fault ? new PointedFault(pointer, error.message) : error;
  }
}

/** The same URL without trailing slashes, or a Fault: what may stand for `{base_url}`. */
export function parseBaseUrl(text: string): string {
  const fault = secureUrlFault(text);
  if (fault !== undefined) throw new Fault(fault);
  const url = new URL(text);
  if (url.search !== '' || text.includes('?')) throw new Fault('must have no query');
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

/**
 * A definition that a stranger wrote must not make the daemon, or a browser, call a service of this machine. `undefined`
 * where the person allowed that, or named that very place.
 */
export function placeFault(
  url: Pick<URL, 'hostname' | 'host'>,
  { named, allowsLoopback }: Omit<Places, 'baseUrl'>,
): string | undefined {
  if (!isThisMachine(url.hostname) || allowsLoopback || url.host === named) return undefined;
  return 'is on this machine: only a definition from a file, with allow_loopback, may name that';
}

/** What a person is shown must fit on a screen. */
const longestUrl = 1000;

/** Why credentials must not be sent to this URL; `undefined` when they may. */
function secureUrlFault(text: string): string | undefined {
  if (text.length > longestUrl) return `must not be longer than ${longestUrl} characters`;
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return 'must be an https URL';
  const url = new URL(text);
  // The URL parser accepts what other readers do not: backslashes, tabs, `%2e` and user info in the authority.
  const authority = /^https?:\/\/([^/?#]*)/i.exec(text)?.[1] ?? '';
  if (authority.includes('@')) return 'must have no user name or password';
  const target = canonicalTarget(authority, 443);
  if (target === undefined || target.host !== url.hostname.replace(/\.$/, '')) return 'must name one host';
  const unprintable = printableFault(text);
  if (unprintable !== undefined) return unprintable;
  if (text.includes('#')) return 'must have no fragment';
  if (url.protocol === 'http:' && !isLoopbackName(target.host)) return 'must be an https URL';
  return undefined;
}

function printableFault(text: string): string | undefined {
  return /[^\x21-\x7e]|[\\{}<>"^`|]/.test(text) ? 'must be a URL without unescaped characters' : undefined;
}
