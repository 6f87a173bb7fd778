import { parseJson, withoutComments } from '../../../json.ts';
import { type Assignment, type Reader, readers, type Where } from '../../../scan/index.ts';

/** What a program's file says of its own sign-in. */
export interface AgentSignIn {
  /** By their names in an answer of the token endpoint. One may stand in the file more than once. */
  readonly secrets: readonly { readonly field: string; readonly assignment: Assignment }[];
  readonly scopes: readonly string[];
  readonly expiresAt: string | null;
}

/** A program that signs in by itself, and keeps what it got in a file. */
export interface Agent {
  /** The provider whose connection its sign-in becomes, and the name of the reader of its file. */
  readonly provider: string;
  readonly name: string;
  /** What a person types to start it. */
  readonly command: string;
  /** The field of a secret, by the keys that lead to it; `undefined` for one that is no part of the sign-in. */
  readonly fieldOf: (section: string) => string | undefined;
  readonly details: (document: Document) => Partial<Pick<AgentSignIn, 'scopes' | 'expiresAt'>>;
}

type Document = Readonly<Record<string, unknown>>;

export const agents: readonly Agent[] = [
  {
    provider: 'claude-code',
    name: 'Claude Code',
    command: 'claude',
    // It also has its tokens of MCP servers there, which are no business of this provider.
    fieldOf: (section) =>
      ({
        'claudeAiOauth/accessToken': 'access_token',
        'claudeAiOauth/refreshToken': 'refresh_token',
      })[section],
    details({ claudeAiOauth }) {
      const { scopes, expiresAt } = objectIn(claudeAiOauth);
      return { scopes: textsIn(scopes), expiresAt: timeIn(expiresAt) };
    },
  },
  {
    provider: 'codex',
    name: 'Codex',
    command: 'codex',
    fieldOf: (section) => /^tokens\/(\w+)$/.exec(section)?.[1],
    details: ({ tokens }) => ({ expiresAt: expiryOf(objectIn(tokens).access_token) }),
  },
  {
    provider: 'gemini-cli',
    name: 'Gemini CLI',
    command: 'gemini',
    fieldOf: (section) => section,
    details: ({ scope, expiry_date }) => ({
      scopes: typeof scope === 'string' ? scope.split(' ').filter((each) => each !== '') : [],
      expiresAt: timeIn(expiry_date),
    }),
  },
  {
    provider: 'github-copilot',
    name: 'GitHub Copilot',
    command: 'copilot',
    fieldOf: () => 'access_token',
    details: () => ({}),
  },
];

/** Where its file is. */
export function placesOf(agent: Agent, where: Where): readonly string[] {
  return readerOf(agent).places(where);
}

/**
 * What the text of an agent's file says: no secrets where the agent has not signed in with it. `undefined` where it is not
 * the JSON that the agent writes.
 */
export function readSignIn(agent: Agent, text: string): AgentSignIn | undefined {
  const document = parseJson(withoutComments(text));
  const assignments = readerOf(agent).read(text);
  if (typeof document !== 'object' || document === null || assignments === undefined) return undefined;
  const secrets = assignments.flatMap((assignment) => {
    const field = assignment.agent === agent.provider ? agent.fieldOf(assignment.section ?? '') : undefined;
    return field === undefined ? [] : [{ field, assignment }];
  });
  return { secrets, scopes: [], expiresAt: null, ...agent.details(document as Document) };
}

function readerOf({ provider }: Agent): Reader {
  const reader = readers.find(({ name }) => name === provider);
  if (reader === undefined) throw new TypeError('an agent without a reader of its file');
  return reader;
}

function objectIn(value: unknown): Document {
  return typeof value === 'object' && value !== null ? (value as Document) : {};
}

function textsIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string') : [];
}

/** Milliseconds since 1970. */
function timeIn(value: unknown): string | null {
  const isTime = typeof value === 'number' && Math.abs(value) <= 8.64e15;
  return isTime ? new Date(value).toISOString() : null;
}

/** RFC 7519 §4.1.4, of a token that is a JWT. */
function expiryOf(token: unknown): string | null {
  const [, claims = ''] = typeof token === 'string' ? token.split('.') : [];
  const { exp } = objectIn(parseJson(Buffer.from(claims, 'base64url').toString('utf8')));
  return typeof exp === 'number' ? timeIn(exp * 1000) : null;
}
