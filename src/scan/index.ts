/**
 * Finds plaintext keys in the files where people and tools keep them, and in the environment: reads such files without
 * losing a byte, finds the provider of a value, plans what to import, and seals the original of a file before it is rewritten.
 */
export { type Backup, type BackupKey, contentHash, openBackup, parseBackup, sealBackup } from './backup.ts';
export { type Finding, isReplaced, type PlannedImport, planImports } from './import-plan.ts';
export type { KeyPattern } from './key-pattern.ts';
export { type Matches, matchesInEnvironment, matchesInFile, type Unclaimed } from './match.ts';
export { type Reader, readerMet, readerOf, readers, type Where } from './readers/index.ts';
export { type Assignment, type Replacement, replaceValues } from './syntax/index.ts';
