import type { Input, Step } from './play.ts';

const client = (text: string): Step => ({ side: 'client', text });
const upstream = (text: string): Step => ({ side: 'upstream', text });
const get = 'GET /1 HTTP/1.1\r\nHost: a.test\r\n\r\n';
const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const plain = { patient: false, reused: false, renewable: false } as const;

/** Where the fuzzer starts from: what two peers say when they mean it. */
export const corpus: readonly Input[] = [
  { ...plain, steps: [client(get), upstream(ok), client(get), upstream(ok)] },
  { ...plain, steps: [client(get + get.replace('1', '2')), upstream(ok), upstream(ok)] },
  { ...plain, reused: true, steps: [client(get), { event: 'upstream ends' }, upstream(ok)] },
  {
    ...plain,
    steps: [client('POST /3 HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello'), upstream(ok)],
  },
  {
    ...plain,
    steps: [
      client('POST /4 HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n'),
      client('0\r\nX-Sum: 1\r\n\r\n'),
      upstream('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n'),
    ],
  },
  {
    ...plain,
    steps: [
      client('PUT /5 HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n'),
      upstream('HTTP/1.1 100 Continue\r\n\r\n'),
      client('hi'),
      upstream('HTTP/1.1 204 No Content\r\n\r\n'),
    ],
  },
  {
    ...plain,
    steps: [
      client('GET /6 HTTP/1.1\r\nHost: a.test\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n'),
      upstream('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nframe'),
    ],
  },
  {
    ...plain,
    steps: [client('HEAD /7 HTTP/1.0\r\n\r\n'), upstream('HTTP/1.0 200 OK\r\nContent-Length: 9\r\n\r\n')],
  },
  {
    ...plain,
    steps: [client(get), upstream('HTTP/1.1 200 OK\r\n\r\nuntil the end'), { event: 'upstream ends' }],
  },
  {
    ...plain,
    renewable: true,
    steps: [
      client('POST /8 HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello'),
      upstream('HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n'),
      { event: 'renewed' },
      upstream(ok),
    ],
  },
  {
    ...plain,
    patient: true,
    steps: [
      client(get),
      { event: 'allowed' },
      { event: 'connected' },
      upstream(ok),
      client(get),
      { event: 'refused' },
    ],
  },
  {
    ...plain,
    steps: [
      client('POST /9 HTTP/1.1\r\nHost: a.test\r\nContent-Length: 9\r\n\r\nfour'),
      upstream('HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n'),
      client('five!'),
      client(get),
    ],
  },
  ...['GET /13?q=phantom-of-the-fuzzer', 'GET /phantom%2Dof-the-fuzzer', 'GET /14'].map(
    (line): Input => ({
      ...plain,
      steps: [
        client(`${line} HTTP/1.1\r\nHost: a.test\r\nX-A: phantom-of-`),
        client('the-fuzzer\r\n\r\n'),
        client(get),
        upstream(ok),
      ],
    }),
  ),
  ...(['in passing', 'before'] as const).flatMap((reads): readonly Input[] => [
    {
      ...plain,
      reads,
      steps: [
        client('POST /10 HTTP/1.1\r\nHost: a.test\r\nContent-Length: 21\r\n\r\nphantom-of'),
        client('-the-fuzzer'),
        client(get),
        upstream(ok),
      ],
    },
    {
      ...plain,
      reads,
      steps: [
        client('PUT /11 HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\na\r\nphantom-of\r\n'),
        client('b\r\n-the-fuzzer\r\n0\r\n\r\n'),
        upstream(ok),
      ],
    },
    {
      ...plain,
      reads,
      renewable: true,
      steps: [
        client('PUT /12 HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\nContent-Length: 60\r\n\r\n'),
        client('x'.repeat(50)),
        client('phantom-of'),
        upstream(ok),
        client(get),
      ],
    },
  ]),
];
