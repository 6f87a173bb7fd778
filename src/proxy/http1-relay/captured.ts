import { STATUS_CODES } from 'node:http';
import type { CapturedAnswer, CapturedRequest } from '../contract.ts';
import { hopByHopInRequest, type LocalReply, type RequestHead, stride, valueAt } from '../http1/index.ts';

/** The fields of a request, without those about its connection (RFC 9110 §7.6.1). */
export function fieldsOf(head: RequestHead): CapturedRequest['headers'] {
  const { bytes, marks, connection } = head;
  const fields: (readonly [string, string])[] = [];
  for (let mark = 0; mark < marks.length; mark += stride) {
    if (hopByHopInRequest[marks[mark + 4] as number] === 1) continue;
    const name = bytes.toString('latin1', marks[mark], marks[mark + 1]).toLowerCase();
    if (!connection.includes(name)) fields.push([name, valueAt(head, mark)]);
  }
  return fields;
}

/** An answer as the program gets it: framed by its length. */
export function capturedReply({ status, headers, body }: CapturedAnswer, decision: string): LocalReply {
  return ({ close }) => {
    const lines = [
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}`,
      ...headers.map(([name, value]) => `${name}: ${value}`),
      `content-length: ${body.length}`,
      `authsome-decision: ${decision}`,
      ...(close ? ['connection: close'] : []),
    ];
    return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body]);
  };
}
