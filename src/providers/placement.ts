/**
 * `always`: the credential is added, whatever the agent put there. `phantom`: it replaces the phantom there, and a value
 * of the agent's own stays. Absent: `always`.
 */
interface Conditional {
  readonly when?: 'always' | 'phantom';
}

/** How a secret goes on the wire. In a path, a body or a WebSocket frame it only ever replaces the phantom. */
export type Placement =
  | HeaderPlacement
  | BasicPlacement
  | QueryPlacement
  | PathPlacement
  | BodyPlacement
  | WebsocketPlacement;

/**
 * `prefix` is complete: it includes its own space (`Bearer `). `instead`: headers that a key of another shape would be
 * in, which are removed. `beside`: what the service wants of such requests, added to what is there (RFC 9110 §5.3).
 */
interface HeaderPlacement extends Conditional {
  readonly kind: 'header';
  readonly name: string;
  readonly prefix: string;
  readonly instead?: readonly string[];
  readonly beside?: readonly HeaderField[];
}

/**
 * RFC 7617; the secret is the password unless `secretAs` says that it is the user name, or both as a person
 * entered them: `user:password`.
 */
interface BasicPlacement extends Conditional {
  readonly kind: 'basic';
  readonly username: string;
  readonly secretAs: 'password' | 'username' | 'pair';
}

interface QueryPlacement extends Conditional {
  readonly kind: 'query';
  readonly name: string;
}

/** `template` is the beginning of an absolute path, by whole segments, with `{secret}` once: `/bot{secret}/`. */
interface PathPlacement {
  readonly kind: 'path';
  readonly template: string;
}

/** One string of a JSON body, by its RFC 6901 pointer, or one field of a form. */
type BodyPlacement =
  | { readonly kind: 'body'; readonly pointer: string }
  | { readonly kind: 'body'; readonly field: string };

/** In text frames from the client: one string by its RFC 6901 pointer, or the whole frame where there is none. */
interface WebsocketPlacement {
  readonly kind: 'websocket';
  readonly pointer?: string;
}

export interface HeaderField {
  readonly name: string;
  readonly value: string;
}

/** Whether the secret only ever replaces a phantom there. */
export function isByPhantom(placement: Placement): boolean {
  switch (placement.kind) {
    case 'header':
    case 'basic':
    case 'query':
      return placement.when === 'phantom';
    default:
      return true;
  }
}

/** What a place is called for people: never a value. */
export function placementName(placement: Placement): string {
  switch (placement.kind) {
    case 'header':
      return `header ${placement.name}`;
    case 'basic':
      return 'Basic';
    case 'query':
      return `query parameter ${placement.name}`;
    case 'path':
      return `path ${placement.template}`;
    case 'body':
      return 'field' in placement ? `form field ${placement.field}` : `JSON body ${placement.pointer}`;
    case 'websocket':
      return placement.pointer === undefined
        ? 'whole WebSocket messages'
        : `WebSocket messages ${placement.pointer}`;
  }
}
