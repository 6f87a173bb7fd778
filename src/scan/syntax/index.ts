/** Reads text formats without losing a byte: what is assigned to what, and where in the text each value stands. */
export {
  type Assignment,
  lineCounter,
  type Replacement,
  replaceValues,
} from './assignment.ts';
export { decodeBase64, readBasicSecret } from './basic.ts';
export { parseEnvFile } from './env-file.ts';
export { type IniEntry, readIni } from './ini-file.ts';
export { type JsonString, readJsonStrings } from './json-strings.ts';
export { parseShellFile } from './shell-file.ts';
export { secretsInUrls } from './url-secrets.ts';
