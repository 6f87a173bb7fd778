/** What an agent reads when a request is refused: RFC 9457 problem documents, with what to run and a decision id. */
export { type Problem, problemDocument, problemResponse, problemStatus } from './problem.ts';
