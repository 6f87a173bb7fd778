/**
 * Environment variables as they are handed around: only `main.ts` reads those of this process. A type and nothing else,
 * so nobody pays for importing it.
 */
export type Environment = Readonly<Record<string, string | undefined>>;
