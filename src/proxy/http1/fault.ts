/** Why bytes are not HTTP/1.1 as RFC 9112 writes it; the sentence names the rule and never quotes the bytes. */
export class Fault {
  readonly reason: string;
  /** The size or count limit was what broke: 431 instead of 400. */
  readonly tooLarge: boolean;

  constructor(reason: string, tooLarge = false) {
    this.reason = reason;
    this.tooLarge = tooLarge;
  }
}
