/**
 * The daemon's API as its callers see it: wire types, the typed and signed client, and finding or starting the
 * daemon of a home.
 */
export type * from './wire.ts';
