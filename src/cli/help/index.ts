/**
 * Formats the manual for a terminal: takes Markdown, returns lines of a given width. Pure. Only `authsome help` loads it,
 * since it contains a Markdown parser.
 */
export { formatContents, readContents } from './contents.ts';
export { formatPage } from './page.ts';
