/** One sentence about what is wrong with a value; the parser that knows the place adds the JSON pointer. */
export class Fault extends Error {
  override readonly name = 'Fault';
}
