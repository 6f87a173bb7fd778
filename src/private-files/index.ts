/**
 * What a home keeps to itself: directories that nobody else can enter. Takes paths, and says of each failure what it
 * means for the home.
 */
export { makePrivateDirectory } from './directory.ts';
