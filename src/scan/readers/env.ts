import { basename } from 'node:path';
import { parseEnvFile } from '../syntax/index.ts';
import { inHome, type Reader } from './reader.ts';

/** `.env` files, and any other file of `NAME=value` lines that somebody names. */
export const env: Reader = {
  name: 'env',
  fits: (path) => basename(path).startsWith('.env'),
  places: (where) => inHome(where, '.env'),
  read: parseEnvFile,
};
