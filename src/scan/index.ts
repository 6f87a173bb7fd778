/**
 * Finding keys that lie about in `.env` files, shell scripts and the environment: reading such files without losing
 * a byte, telling whose secret a value is, planning what moves into the vault, and sealing what a file held before.
 */
export { type Replacement, replaceValues } from './assignment.ts';
export { type Backup, type BackupKey, contentHash, openBackup, parseBackup, sealBackup } from './backup.ts';
export { parseEnvFile } from './env-file.ts';
export { type Finding, type PlannedImport, planImports } from './import-plan.ts';
export { parseShellFile } from './shell-file.ts';
export { type Sighting, sightingsInEnvironment, sightingsInFile } from './sighting.ts';
export type { Watched } from './watched.ts';
