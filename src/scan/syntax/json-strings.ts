import { isDeeperThan, parseJson, withoutComments } from '../../json.ts';
import { lineCounter } from './assignment.ts';

/** One string of a JSON document, and where it stands. */
export interface JsonString {
  /** The keys and indexes that lead to it. */
  readonly path: readonly string[];
  readonly value: string;
  readonly line: number;
  /** What is between the quotes: offsets into the text. */
  readonly start: number;
  readonly end: number;
}

const deepest = 100;
const tokens = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]/g;

/** The keys and indexes of the object or list that is being read. */
interface Level {
  readonly isList: boolean;
  key: string;
  index: number;
  isKeyNext: boolean;
}

/** Every string value of a JSON text, comments and trailing commas allowed (JSONC). `undefined` for what is no JSON. */
export function readJsonStrings(text: string): readonly JsonString[] | undefined {
  const plain = withoutComments(text).replace(/^\ufeff/, ' ');
  const document = parseJson(plain);
  if (document === undefined || isDeeperThan(document, deepest)) return undefined;
  // The text is valid from here on, so its tokens are all that has to be told apart.
  const lineOf = lineCounter(text);
  const strings: JsonString[] = [];
  const levels: Level[] = [];
  for (const { 0: token, index: at } of plain.matchAll(tokens)) {
    const level = levels.at(-1);
    if (token === '{' || token === '[') {
      levels.push({ isList: token === '[', key: '', index: 0, isKeyNext: token === '{' });
    } else if (token === '}' || token === ']') {
      levels.pop();
    } else if (token === ',') {
      if (level !== undefined) {
        level.index += 1;
        level.isKeyNext = !level.isList;
      }
    } else if (token === ':') {
      if (level !== undefined) level.isKeyNext = false;
    } else if (level?.isKeyNext === true) {
      level.key = JSON.parse(token) as string;
    } else {
      strings.push({
        path: levels.map(({ isList, key, index }) => (isList ? String(index) : key)),
        value: JSON.parse(token) as string,
        line: lineOf(at),
        start: at + 1,
        end: at + token.length - 1,
      });
    }
  }
  return strings;
}
