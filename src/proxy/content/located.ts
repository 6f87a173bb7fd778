export type Located =
  /** `start` and `end` are positions in the content, of the value as it is written there; `text` is what it means. */
  | { readonly kind: 'value'; readonly start: number; readonly end: number; readonly text: string }
  | { readonly kind: 'absent' }
  /** The content cannot be read, or has the place twice. `reason` quotes nothing of it. */
  | { readonly kind: 'unreadable'; readonly reason: string };
