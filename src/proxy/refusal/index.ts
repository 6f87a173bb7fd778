/** What an agent reads when a request is refused: an RFC 9457 problem document with a hint and a decision id. */
export { type Problem, problemDocument, problemResponse, problemStatus } from './problem.ts';
