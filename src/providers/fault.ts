/** What is wrong with a value, in one sentence; the parser that knows the place adds the JSON pointer. */
export class Fault extends Error {
  override readonly name = 'Fault';
}
