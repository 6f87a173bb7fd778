/** The rooms of `src/`, and who may import whom. */

export const rooms = [
  'api',
  'audit',
  'cli',
  'client',
  'connections',
  'daemon',
  'identity',
  'network',
  'oauth',
  'peers',
  'policy',
  'principals',
  'private-files',
  'providers',
  'proxy',
  'runs',
  'scan',
  'storage',
  'vault',
] as const;
export type Room = (typeof rooms)[number];

/**
 * Single files beside the rooms that rooms may use. Each has one thing that several rooms must agree on, imports
 * nothing but its like, and is cheap enough for `run` to load.
 */
export const grounds = [
  'command-line',
  'environment',
  'errors',
  'json',
  'loopback',
  'settings',
  'suggestion',
] as const;
export type Ground = (typeof grounds)[number];

/** Who may import whom, and why nobody else: the reason is what a failure prints. */
export const table: Readonly<
  Record<Room, { readonly mayImport: readonly (Room | Ground)[]; readonly reason: string }>
> = {
  api: {
    mayImport: [
      'errors',
      'command-line',
      'json',
      'loopback',
      'audit',
      'client',
      'connections',
      'identity',
      'network',
      'peers',
      'principals',
      'providers',
      'runs',
    ],
    reason:
      'what callers meet: it reads requests and writes documents, and what happens is for the rooms below',
  },
  audit: {
    mayImport: ['errors', 'storage', 'private-files'],
    reason: 'a leaf: the trail must not depend on what it records; it may know the contract of its table',
  },
  cli: {
    mayImport: [
      'errors',
      'environment',
      'json',
      'loopback',
      'command-line',
      'settings',
      'suggestion',
      'client',
      'identity',
      'private-files',
      'scan',
    ],
    reason:
      'commands reach the daemon over HTTP only, so that no secret and no heavy module is in their process',
  },
  client: {
    mayImport: [
      'errors',
      'command-line',
      'environment',
      'json',
      'settings',
      'identity',
      'peers',
      'private-files',
    ],
    reason: 'every command pays for what the client imports; it signs, sends and reads, nothing else',
  },
  connections: {
    mayImport: ['errors', 'json', 'loopback', 'command-line', 'oauth', 'vault', 'providers'],
    reason: 'the use cases know the flows, the store and the definitions, but neither sockets nor pages',
  },
  daemon: {
    mayImport: [
      'errors',
      'environment',
      'command-line',
      'settings',
      'api',
      'audit',
      'client',
      'identity',
      'storage',
      'network',
      'peers',
      'policy',
      'principals',
      'private-files',
      'providers',
      'proxy',
      'runs',
      'vault',
    ],
    reason: 'the daemon wires the rooms together and speaks the wire types of the client, but never prints',
  },
  identity: {
    mayImport: ['errors', 'command-line', 'private-files'],
    reason: 'a leaf: it is on the hot path of every command',
  },
  network: {
    mayImport: ['errors', 'environment', 'loopback'],
    reason: 'a leaf: it dials what it is told to and decides nothing else',
  },
  oauth: {
    mayImport: ['errors', 'loopback'],
    reason: 'a leaf: flows take fetch, clock and randomness as arguments',
  },
  peers: {
    mayImport: ['loopback'],
    reason: 'a leaf: it reads what the kernel shows of sockets and processes',
  },
  policy: { mayImport: ['errors', 'json', 'suggestion'], reason: 'a leaf: a pure function of values' },
  principals: {
    mayImport: [
      'errors',
      'audit',
      'connections',
      'storage',
      'identity',
      'network',
      'policy',
      'providers',
      'vault',
    ],
    reason: 'it says who owns what and opens what they own; runs, pages and the API are built on it',
  },
  'private-files': {
    mayImport: ['errors', 'command-line'],
    reason: 'the ground that everything with a file in the home stands on: it must not know what is in them',
  },
  providers: {
    mayImport: ['errors', 'json', 'loopback', 'suggestion', 'private-files'],
    reason: 'a leaf: definitions and matching are pure',
  },
  proxy: {
    mayImport: ['errors', 'loopback', 'command-line', 'audit', 'peers', 'policy', 'providers'],
    reason: 'credentials, routes and sockets arrive as arguments: the proxy can never ask the vault itself',
  },
  runs: {
    mayImport: [
      'errors',
      'command-line',
      'audit',
      'connections',
      'network',
      'principals',
      'providers',
      'proxy',
    ],
    reason:
      'a run is made of connections, rules and the proxy; how it is asked for is the business of the API',
  },
  scan: {
    mayImport: ['environment', 'json'],
    reason: 'a leaf: it reads text and classifies values, and what to look for arrives as an argument',
  },
  storage: {
    mayImport: ['errors', 'command-line', 'private-files'],
    reason: 'the ground that stores stand on: it must not know what is in them',
  },
  vault: {
    mayImport: ['errors', 'command-line', 'storage', 'private-files'],
    reason: 'a leaf: sealing knows nothing of what it seals; it may know the contracts of its tables',
  },
};

/** Imports that may bring types only, since the code behind them belongs to another process or another room. */
export const typesOnly: readonly (readonly [from: Room, to: Room | Ground, reason: string])[] = [
  ['api', 'client', "the API speaks the client's wire types; its code would be the daemon calling itself"],
  [
    'daemon',
    'client',
    "the daemon shares the client's wire types; its code would be the daemon calling itself",
  ],
  ['audit', 'storage', 'its table arrives as an argument, whatever the dialect'],
  ['principals', 'storage', 'its table arrives as an argument, whatever the dialect'],
  ['vault', 'storage', 'its tables arrive as an argument, whatever the dialect'],
];
