/**
 * The rooms within three large rooms: whom each may import among them, and which single files beside them. Those files
 * may import every room in turn: they put the rooms together.
 */
interface InnerRoom {
  readonly mayImport: readonly string[];
  readonly reason: string;
}

export const innerRooms: Readonly<Record<string, Readonly<Record<string, InnerRoom>>>> = {
  api: {
    pages: { mayImport: [], reason: 'a leaf: a page is made of values that its route hands it' },
    routes: {
      mayImport: [
        'pages',
        'app',
        'body',
        'csrf',
        'documents',
        'guard',
        'peer',
        'query',
        'calling-process',
        'run-gate',
        'run-guard',
      ],
      reason: 'each route reads a request and writes a document or a page',
    },
  },
  connections: {
    adoption: {
      mayImport: ['answers', 'capture', 'phantoms', 'records', 'contract', 'names', 'sign-in-command'],
      reason: 'it takes what a file has for an answer that the program once got',
    },
    answers: { mayImport: [], reason: 'a leaf: it reads what token endpoints answer to programs' },
    capture: {
      mayImport: ['answers', 'credentials', 'discovery', 'phantoms', 'records', 'contract', 'names'],
      reason: 'it keeps what services grant to programs, and signs nobody in',
    },
    clients: {
      mayImport: ['discovery', 'records', 'contract', 'sign-in-command'],
      reason: 'a client is registered or entered before any sign-in that uses it',
    },
    credentials: {
      mayImport: ['answers', 'clients', 'discovery', 'records', 'contract', 'names', 'sign-in-command'],
      reason: 'a credential is read and refreshed without knowing how somebody signed in',
    },
    discovery: { mayImport: ['contract'], reason: 'a leaf: it asks a server what it is' },
    phantoms: {
      mayImport: ['records', 'contract', 'names'],
      reason: 'what stands for a secret knows where that is stored, not how it came or where it goes',
    },
    records: {
      mayImport: ['discovery', 'contract', 'names'],
      reason: 'what is stored knows nothing of those who store it',
    },
    revocation: {
      mayImport: ['clients', 'credentials', 'discovery', 'records', 'contract', 'names'],
      reason: 'it ends what a sign-in began, and begins nothing',
    },
    'sign-in': {
      mayImport: [
        'clients',
        'credentials',
        'discovery',
        'records',
        'revocation',
        'contract',
        'names',
        'sign-in-command',
      ],
      reason: 'the use case above all others here: nothing else may depend on how somebody signs in',
    },
  },
  proxy: {
    authorize: {
      mayImport: [
        'capture',
        'content',
        'decide',
        'inject',
        'needles',
        'phantoms',
        'refusal',
        'runs',
        'contract',
      ],
      reason: 'it turns a decision into a credential or a refusal, for either version of HTTP',
    },
    ca: { mayImport: [], reason: 'a leaf: it makes certificates from keys and a clock' },
    capture: {
      mayImport: ['refusal', 'contract'],
      reason:
        'it reads a whole exchange and hands it to who keeps the tokens; how it came is not its business',
    },
    coding: { mayImport: [], reason: 'a leaf: it undoes content codings, for whom is not its business' },
    connect: {
      mayImport: [
        'authorize',
        'decide',
        'http1',
        'http1-relay',
        'http2',
        'inject',
        'phantoms',
        'runs',
        'upstream',
        'context',
      ],
      reason: 'it accepts tunnels and hands their connections on',
    },
    content: { mayImport: [], reason: 'a leaf: where a value is in a body, whoever asks' },
    decide: {
      mayImport: ['content', 'http1', 'inject', 'phantoms'],
      reason: 'pure: what a request may do follows from its facts',
    },
    http1: {
      mayImport: ['resend'],
      reason: 'the protocol, with no sockets: what a request may do is not its question',
    },
    'http1-relay': {
      mayImport: [
        'authorize',
        'capture',
        'coding',
        'content',
        'decide',
        'http1',
        'inject',
        'needles',
        'outgoing',
        'phantoms',
        'refusal',
        'runs',
        'scrub',
        'upstream',
        'websocket',
        'context',
        'contract',
      ],
      reason: 'it moves bytes between two sockets, as the protocol and the decision say',
    },
    http2: {
      mayImport: [
        'authorize',
        'capture',
        'coding',
        'content',
        'decide',
        'http1',
        'inject',
        'needles',
        'outgoing',
        'phantoms',
        'refusal',
        'resend',
        'runs',
        'scrub',
        'websocket',
        'contract',
      ],
      reason: 'it relays streams: the rooms that accept connections call it, and never the other way round',
    },
    inject: {
      mayImport: ['coding', 'content', 'http1'],
      reason: 'the one place that writes a secret: it sees a head and a credential',
    },
    needles: { mayImport: [], reason: 'a leaf: it looks for texts in bytes, whatever they stand for' },
    outgoing: {
      mayImport: ['authorize', 'coding', 'content', 'decide', 'phantoms', 'scrub', 'websocket', 'contract'],
      reason: 'what may leave in a body or a message, for either version of HTTP',
    },
    phantoms: {
      mayImport: ['content', 'http1', 'inject', 'needles', 'contract'],
      reason: 'pure: it says which phantoms are in some bytes, and judges nothing',
    },
    refusal: { mayImport: [], reason: 'a leaf: the document that a refused client reads' },
    resend: { mayImport: [], reason: 'a leaf: one policy for both versions of HTTP' },
    runs: {
      mayImport: ['ca', 'decide', 'inject', 'needles', 'phantoms', 'scrub', 'contract'],
      reason: 'what a run has while it lives, compiled once and read by every request',
    },
    scrub: {
      mayImport: ['coding', 'inject', 'needles'],
      reason: 'it replaces secrets in responses, and asks nobody',
    },
    upstream: {
      mayImport: ['http1', 'runs', 'contract'],
      reason: 'it reaches upstreams for those who speak with them, and knows nothing of what they say',
    },
    websocket: { mayImport: [], reason: 'a leaf: frames in and frames out, with no sockets' },
  },
};
