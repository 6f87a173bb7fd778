/** The parser of provider definitions: what a file says becomes a `Provider`, or a fault that names its place. */
export { type ParseOptions, parseProvider } from './definition.ts';
export { isObject } from './fields.ts';
export { unknownFields, unknownFieldText } from './unknown-fields.ts';
export { settableFault } from './variables.ts';
