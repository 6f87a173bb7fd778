/**
 * The directory that holds everything of one authsome: what has to be in it, in which modes, whose process owns it.
 */
export { watchFile } from './file-watch.ts';
export { type Home, homeAt, homeFaults, prepareHome } from './home.ts';
export { keepFile } from './kept-file.ts';
export { checkMasterKey } from './master-key-check.ts';
export { siblingIsHealthy } from './sibling.ts';
