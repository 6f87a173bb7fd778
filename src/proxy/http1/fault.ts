/** Why bytes are not valid HTTP/1.1 (RFC 9112). The reason names the rule and never quotes the bytes. */
export class Fault {
  readonly reason: string;
  /** A limit on size or number was exceeded: the status is 431 instead of 400. */
  readonly tooLarge: boolean;

  constructor(reason: string, tooLarge = false) {
    this.reason = reason;
    this.tooLarge = tooLarge;
  }
}
