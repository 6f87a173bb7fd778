/**
 * What a home keeps to itself: directories that nobody else can enter, files that nobody else can read, written whole or
 * not at all. Takes paths and text, and says of each failure what it means for the home.
 */
export { makePrivateDirectory } from './directory.ts';
export { type EntryFault, entryFault, requirePrivate } from './entry.ts';
export { createPrivateFile, fileFailure, readPrivateFile, writePrivateFile } from './file.ts';
