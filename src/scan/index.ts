/**
 * Finds plaintext keys in `.env` files, shell scripts and the environment: reads such files without losing a byte,
 * finds the provider of a value, plans what to import, and seals the original of a file before it is rewritten.
 */
export { type Replacement, replaceValues } from './assignment.ts';
export { type Backup, type BackupKey, contentHash, openBackup, parseBackup, sealBackup } from './backup.ts';
export { parseEnvFile } from './env-file.ts';
export { type Finding, type PlannedImport, planImports } from './import-plan.ts';
export type { KeyPattern } from './key-pattern.ts';
export { type Match, matchesInEnvironment, matchesInFile } from './match.ts';
export { parseShellFile } from './shell-file.ts';
