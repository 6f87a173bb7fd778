/**
 * The manual in a terminal: Markdown in, lines of a given width out. Pure, and loaded by `authsome help` alone, since it
 * brings a Markdown parser along.
 */
export { formatContents, readContents } from './contents.ts';
export { formatPage } from './page.ts';
