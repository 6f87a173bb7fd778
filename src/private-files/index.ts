/**
 * Private directories and files: nobody else can enter or read them, and they are written atomically. It takes paths and
 * text, and turns each failure into an error about the home.
 */
export { makePrivateDirectory } from './directory.ts';
export { type EntryFault, entryFault, requirePrivate } from './entry.ts';
export {
  createPrivateFile,
  fileFailure,
  readPrivateFile,
  removePrivateFile,
  writePrivateFile,
} from './file.ts';
export { parentFault } from './parents.ts';
