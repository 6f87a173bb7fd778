/** One small reader for each kind of file in which tools keep secrets, and the table of them. */
export type { Reader, Where } from './reader.ts';
export { readerMet, readerOf, readers } from './table.ts';
