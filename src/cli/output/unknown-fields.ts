import type { InspectDocument } from '../../client/index.ts';

/** A warning for each field of a definition that nothing reads. */
export function unknownFieldLines({ unknown_fields: fields = [] }: InspectDocument): readonly string[] {
  return fields.map(({ pointer, meant }) => {
    const name = pointer.slice(pointer.lastIndexOf('/') + 1);
    const suggestion = meant === null ? '' : ` (did you mean "${meant}"?)`;
    return `Warning: unknown field "${name}"${suggestion} at ${pointer}`;
  });
}
