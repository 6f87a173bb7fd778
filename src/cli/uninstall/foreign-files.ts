import { readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { parseJson, withoutComments } from '../../json.ts';
import { unknownSettings } from '../../settings.ts';

/**
 * Whether a file with a name of authsome's is another program's: a `config.json` with other settings, or a JSON file in
 * `providers/` that defines no provider of its name. A home may be a directory that somebody uses for more.
 */
export function isForeignFile(home: string): (path: string) => boolean {
  return (path) => {
    const name = basename(path);
    if (name === 'config.json' && dirname(path) === home) return !isOurConfig(documentIn(path));
    if (basename(dirname(path)) === 'providers' && name.endsWith('.json')) {
      return documentIn(path)?.name !== basename(name, '.json');
    }
    return false;
  };
}

function isOurConfig(document: Readonly<Record<string, unknown>> | undefined): boolean {
  return document !== undefined && unknownSettings(document).length === 0;
}

function documentIn(path: string): Readonly<Record<string, unknown>> | undefined {
  let document: unknown;
  try {
    document = parseJson(withoutComments(readFileSync(path, 'utf8')));
  } catch {
    return undefined;
  }
  const isObject = typeof document === 'object' && document !== null && !Array.isArray(document);
  return isObject ? (document as Readonly<Record<string, unknown>>) : undefined;
}
