import { kindOfSecret, type Provider, phantomFor, phantomOf } from '../../providers/index.ts';
import type { ConnectionChange, ConnectionsOptions } from '../contract.ts';
import { splitConnectionKey } from '../names.ts';
import {
  type ConnectionStore,
  listPhantoms,
  type OpenConnection,
  type PhantomRecord,
  readPhantoms,
  retired,
  type StoredPhantom,
  writePhantoms,
} from '../records/index.ts';

/** A phantom of the vault's owner. */
export interface DurablePhantom {
  readonly value: string;
  /** `provider/connection`. */
  readonly connection: string;
  /** `credential`, or another secret of the connection's grant. */
  readonly part: string;
  /** Its connection is gone, or it has had too many since: it stands for nothing any more. */
  readonly isRetired: boolean;
}

/**
 * The phantoms of one vault. A connection has one, made when it is first needed, and the same in every run, after a restart
 * and after a refresh. A key of another kind gets a new one; those before it stay valid for the connection.
 */
export interface DurablePhantoms {
  /** Reads what the vault has. Call it at start: until then, no phantom is known. */
  open(): Promise<void>;
  /** Makes those that are missing of these connections (`provider/connection`). Without any, nothing is read. */
  require(connections: readonly string[]): Promise<void>;
  /** The phantom of another secret of a connection's grant, made where there is none of its kind. */
  requirePart(connection: string, part: string, secret: string): Promise<string>;
  /** Every one that is known; of each connection, the newest first and the retired ones last. Another list after a change. */
  all(): readonly DurablePhantom[];
  /** What stands for the credential of a connection today. */
  newest(connection: string): string | undefined;
  /** Whether it is a phantom, of a connection that is there or of one that is gone. */
  has(value: string): boolean;
  /** Called when there is a new one: live runs must know it. */
  onMade(listener: (connection: string) => void): void;
}

const credential = 'credential';
/** Of one part of a connection. */
const mostLive = 4;
const mostRetired = 256;
/** The kind of a phantom for a secret that could not be read. */
const unseen = 'unseen';

type Options = Pick<ConnectionsOptions, 'vault' | 'catalog' | 'randomBytes'>;
type Store = Pick<ConnectionStore, 'find' | 'list' | 'onChange'>;

export function createDurablePhantoms(options: Options, store: Store): DurablePhantoms {
  const phantoms = new VaultPhantoms(options, store);
  store.onChange((change) => phantoms.changed(change));
  return phantoms;
}

class VaultPhantoms implements DurablePhantoms {
  readonly #options: Options;
  readonly #store: Store;
  readonly #records = new Map<string, PhantomRecord>();
  /** The phantom's own text: grows only, as what was a phantom once is never a credential. */
  readonly #known = new Set<string>();
  /** Connections whose newest phantom may have the shape of an earlier secret. */
  readonly #stale = new Set<string>();
  /** What is being made: one after the other for each connection. */
  readonly #making = new Map<string, Promise<unknown>>();
  readonly #listeners: ((connection: string) => void)[] = [];
  #opened: Promise<void> | undefined;
  #all: readonly DurablePhantom[] | undefined;

  constructor(options: Options, store: Store) {
    this.#options = options;
    this.#store = store;
  }

  async open(): Promise<void> {
    this.#opened ??= this.#load();
    await this.#opened;
  }

  async require(connections: readonly string[]): Promise<void> {
    const missing = connections.filter((key) => this.#isMissing(key));
    if (missing.length === 0) return;
    await this.open();
    await Promise.all(missing.map((key) => this.#inTurn(key, () => this.#check(key))));
  }

  async requirePart(connection: string, part: string, secret: string): Promise<string> {
    await this.open();
    return await this.#inTurn(connection, async () => {
      const { provider } = splitConnectionKey(connection);
      const record = await this.#include(connection, { part, secret, provider: this.#definition(provider) });
      return newestOf(record, part) as string;
    });
  }

  all(): readonly DurablePhantom[] {
    this.#all ??= allOf([...this.#records.values()]);
    return this.#all;
  }

  newest(connection: string): string | undefined {
    const record = this.#records.get(connection);
    return record === undefined ? undefined : newestOf(record, credential);
  }

  has(value: string): boolean {
    return this.#known.has(value);
  }

  onMade(listener: (connection: string) => void): void {
    this.#listeners.push(listener);
  }

  changed({ connection, kind }: ConnectionChange): void {
    const isGone = kind === 'removed' || kind === 'revoked';
    if (!isGone && kind !== 'connected') return;
    this.#stale.add(connection);
    const record = this.#records.get(connection);
    // At once, as its credential is refused at once. The vault is told where the connection is removed from it.
    if (isGone && record !== undefined) this.#keep(retired(record));
  }

  #isMissing(key: string): boolean {
    return this.#stale.has(key) || this.newest(key) === undefined;
  }

  async #load(): Promise<void> {
    const { vault } = this.#options;
    const connections = new Map(
      (await this.#store.list()).map(({ provider, name, signIn }) => [`${provider}/${name}`, signIn]),
    );
    for (const record of await listPhantoms(vault)) {
      const signIn = connections.get(record.connection);
      // A daemon that died while it removed the connection.
      const isGone = signIn === undefined && record.phantoms.some(({ isRetired }) => !isRetired);
      this.#keep(isGone ? ((await writePhantoms(vault, retired(record))) ?? retired(record)) : record);
      if (signIn !== record.signIn) this.#stale.add(record.connection);
    }
  }

  /** Makes the connection's phantom, unless there is one of the kind that its secret is of. */
  async #check(key: string): Promise<void> {
    // Another caller may have been quicker.
    while (this.#isMissing(key)) {
      this.#stale.delete(key);
      const { provider, connection: name } = splitConnectionKey(key);
      let open: OpenConnection | undefined;
      try {
        open = await this.#store.find(provider, name);
        if (open === undefined) return;
      } catch {
        // Its requests will be refused by that error. Its phantom must be there all the same.
      }
      const secret = open?.secrets.apiKey ?? open?.secrets.accessToken;
      const definition = this.#definition(provider, open?.connection.baseUrl);
      const { signIn } = open?.connection ?? {};
      try {
        await this.#include(key, { part: credential, secret, provider: definition, signIn });
      } catch (error) {
        this.#stale.add(key);
        throw error;
      }
    }
  }

  /** The record with a phantom for this secret at the front of its part. */
  async #include(key: string, wanted: Wanted): Promise<PhantomRecord> {
    const { vault, randomBytes } = this.#options;
    let record = this.#records.get(key) ?? (await readPhantoms(vault, key));
    for (;;) {
      const next = withPhantom(record, wanted, randomBytes);
      if (next === record) return record;
      const written = await writePhantoms(vault, next);
      if (written !== undefined) {
        const isNew = written.phantoms.some(({ value }) => !this.#known.has(value));
        this.#keep(written);
        if (isNew) for (const listener of this.#listeners) listener(key);
        return written;
      }
      // Another daemon, or the removal of the connection, wrote first.
      record = await readPhantoms(vault, key);
      this.#keep(record);
    }
  }

  #keep(record: PhantomRecord): void {
    this.#records.set(record.connection, record);
    this.#all = undefined;
    for (const { value } of record.phantoms) this.#known.add(value);
  }

  #definition(name: string, baseUrl?: string): Definition {
    try {
      return this.#options.catalog.find(name, baseUrl === undefined ? {} : { baseUrl }) ?? noDefinition;
    } catch {
      return noDefinition;
    }
  }

  async #inTurn<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
    const mine = (this.#making.get(key) ?? Promise.resolve()).then(work, work);
    this.#making.set(key, mine);
    try {
      return await mine;
    } finally {
      if (this.#making.get(key) === mine) this.#making.delete(key);
    }
  }
}

type Definition = Pick<Provider, 'apiKey' | 'inject' | 'phantom'>;
const noDefinition: Definition = { apiKey: undefined, inject: [], phantom: undefined };

interface Wanted {
  readonly part: string;
  /** `undefined` where it could not be read. */
  readonly secret: string | undefined;
  readonly provider: Definition;
  /** The sign-in that brought it, if that is what the record has to remember. */
  readonly signIn?: string | undefined;
}

/** The same record where nothing is to be written. */
function withPhantom(
  record: PhantomRecord,
  { part, secret, provider, signIn = record.signIn }: Wanted,
  randomBytes: Options['randomBytes'],
): PhantomRecord {
  const kind = secret === undefined ? unseen : kindOfSecret(provider, secret);
  const live = record.phantoms.filter((phantom) => !phantom.isRetired && phantom.part === part);
  const known = secret === undefined ? live[0] : live.find((phantom) => phantom.kind === kind);
  if (known !== undefined && known === live[0] && signIn === record.signIn) return record;
  const first = known ?? {
    value:
      secret === undefined ? phantomFor(provider, randomBytes) : phantomOf(provider, secret, randomBytes),
    part,
    kind,
    isRetired: false,
  };
  const later = live.filter((phantom) => phantom !== known);
  const others = record.phantoms.filter((phantom) => !phantom.isRetired && phantom.part !== part);
  const past = record.phantoms.filter(({ isRetired }) => isRetired);
  const retiring = later.slice(mostLive - 1).map((phantom) => ({ ...phantom, isRetired: true }));
  const kept = [first, ...later.slice(0, mostLive - 1), ...others];
  return { ...record, signIn, phantoms: [...kept, ...[...retiring, ...past].slice(0, mostRetired)] };
}

function allOf(records: readonly PhantomRecord[]): readonly DurablePhantom[] {
  const all = records.flatMap(({ connection, phantoms }) =>
    phantoms.map(({ value, part, isRetired }) => ({ value, connection, part, isRetired })),
  );
  return [...all.filter(({ isRetired }) => !isRetired), ...all.filter(({ isRetired }) => isRetired)];
}

function newestOf({ phantoms }: PhantomRecord, part: string): string | undefined {
  const found: StoredPhantom | undefined = phantoms.find(
    (phantom) => phantom.part === part && !phantom.isRetired,
  );
  return found?.value;
}
