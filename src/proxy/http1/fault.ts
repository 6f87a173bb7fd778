/** Why bytes are not HTTP/1.1 as RFC 9112 writes it; the sentence names the rule and never quotes the bytes. */
export class Fault {
  readonly reason: string;
  /** A limit of size or number was exceeded: 431 instead of 400. */
  readonly tooLarge: boolean;

  constructor(reason: string, tooLarge = false) {
    this.reason = reason;
    this.tooLarge = tooLarge;
  }
}
