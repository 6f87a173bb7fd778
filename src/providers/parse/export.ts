import type { Provider } from '../provider.ts';
import { type Fields, PointedFault } from './fields.ts';
import { settableFault } from './variables.ts';

const mostVariables = 32;

/** The variables of `export.env`; names under other keys (`refresh_token`) are never exported. */
export function parseExport(fields: Fields | undefined, provider: string): Provider['exportVariables'] {
  if (fields === undefined) return [];
  const seen = new Set<string>();
  return (['access_token', 'api_key'] as const).flatMap((value) =>
    fields.texts(value, mostVariables).map(({ text: name, pointer }) => {
      const fault = settableFault(name, provider);
      if (fault !== undefined) throw new PointedFault(pointer, fault);
      if (seen.has(name)) throw new PointedFault(pointer, `must not name ${name} twice`);
      seen.add(name);
      return { name, value };
    }),
  );
}

/** `export.phantom`. */
export function parsePhantomTemplate(fields: Fields | undefined): string | undefined {
  const text = fields?.text('phantom');
  if (text === undefined) return undefined;
  const fixed = text.replaceAll('{random}', '');
  // A program may take a variable for a command or an address.
  if (!/^[A-Za-z0-9_.:@+=-]*$/.test(fixed) || text.length < 8 || text.length > 512) {
    fields?.fault('phantom', 'must be 8 to 512 letters, digits and any of _ . : @ + = -, besides {random}');
  }
  if (fixed === text) fields?.fault('phantom', 'must contain {random}, so that no two runs share one');
  return text;
}
