import { describe, expect, it } from 'vitest';
import { Transcript } from '../testing/test-transcript.ts';
import { Fault } from './index.ts';

const lines = (...parts: readonly string[]): string => `${parts.join('\r\n')}\r\n\r\n`;
const get = (path: string, ...fields: readonly string[]): string =>
  lines(`GET ${path} HTTP/1.1`, 'Host: a.test', ...fields);
const post = (path: string, body: string, ...fields: readonly string[]): string =>
  lines(`POST ${path} HTTP/1.1`, 'Host: a.test', `Content-Length: ${body.length}`, ...fields) + body;
const ok = (body: string): string => `${lines('HTTP/1.1 200 OK', `Content-Length: ${body.length}`)}${body}`;
const response = (text: string) => () => Buffer.from(text);

describe('keep-alive and pipelining', () => {
  it('one request after the other, each with its own response', () => {
    const t = new Transcript().client(get('/1')).upstream(ok('one')).client(get('/2')).upstream(ok('two'));
    expect(t.actions).toEqual([
      `→upstream ${get('/1')}`,
      `→client ${ok('one')}`,
      'release upstream',
      `→upstream ${get('/2')}`,
      `→client ${ok('two')}`,
      'release upstream',
    ]);
  });

  it.each([
    ['Keep-Alive: timeout=5, max=100', 'release upstream for 5000 ms'],
    ['Keep-Alive: max=100,timeout=15', 'release upstream for 15000 ms'],
    ['Keep-Alive: timeout=soon', 'release upstream'],
    ['X-Keep-Alive: timeout=5', 'release upstream'],
  ])('reads how long the upstream waits for another request: %s', (field, action) => {
    const t = new Transcript().client(get('/1'));
    t.upstream(lines('HTTP/1.1 200 OK', 'Content-Length: 0', field));
    expect(t.take().at(-1)).toBe(action);
  });

  it('a pipelined request waits until the previous response is complete', () => {
    const t = new Transcript().client(get('/1') + get('/2'));
    expect(t.take()).toEqual([`→upstream ${get('/1')}`, 'pause client']);
    t.upstream(ok('one').slice(0, -1));
    expect(t.sent('upstream')).toBe('');
    t.upstream('e');
    expect(t.take().slice(1)).toEqual(['release upstream', `→upstream ${get('/2')}`, 'resume client']);
  });

  it.each([
    ['truncated', `${lines('HTTP/1.1 200 OK', 'Content-Length: 9')}cut`, 'abort client'],
    ['malformed', `${lines('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked')}x`, 'abort client'],
    // Its end is the connection's, so only a reset tells that it was cut.
    ['truncated without a length', `${lines('HTTP/1.1 200 OK')}cut`, 'reset client'],
  ])(
    'a response that is %s does not lose the previous one, which is still in transit',
    (_, second, action) => {
      const broken = (t: Transcript): Transcript => {
        t.upstream(second);
        t.machine.upstreamEnd(false);
        return t;
      };
      const pipelined = broken(new Transcript().client(get('/1') + get('/2')).upstream(ok('one')));
      expect(pipelined.sent('client')).toContain(ok('one'));
      expect(pipelined.actions.at(-1)).toBe(action);
      const inTurn = broken(new Transcript().client(get('/1')).upstream(ok('one')).client(get('/2')));
      expect(inTurn.actions.at(-1)).toBe('reset client');
    },
  );

  it('a body, and a request behind it in the same bytes', () => {
    const t = new Transcript().client(post('/1', 'body') + get('/2').slice(0, 9));
    expect(t.sent('upstream')).toBe(post('/1', 'body'));
    t.upstream(ok('one')).client(get('/2').slice(9)).upstream(ok('two'));
    expect(t.sent('upstream')).toBe(post('/1', 'body') + get('/2'));
    expect(t.sent('client')).toBe(ok('one') + ok('two'));
  });

  it('a hundred pipelined requests go one at a time, in order', () => {
    const paths = Array.from({ length: 100 }, (_, index) => `/${index}`);
    const t = new Transcript().client(paths.map((path) => get(path)).join(''));
    for (const path of paths) {
      expect(t.authorized.at(-1)?.target).toBe(path);
      t.upstream(ok(path));
    }
    expect(t.authorized).toHaveLength(100);
    expect(t.sent('client')).toBe(paths.map(ok).join(''));
  });

  it('a hundred pipelined refusals do not recurse', () => {
    const t = new Transcript({ autoAuthorize: false });
    t.authorize = () => t.machine.reply(response('<no>'));
    t.client(get('/').repeat(5_000));
    expect(t.sent('client')).toBe('<no>'.repeat(5_000));
  });

  it('Connection: close from the client ends it after the response, and says so', () => {
    const t = new Transcript().client(get('/1', 'Connection: close') + get('/2')).upstream(ok('one'));
    expect(t.sent('client')).toBe(`${lines('HTTP/1.1 200 OK', 'Content-Length: 3', 'Connection: close')}one`);
    expect(t.actions).toContain('release upstream');
    expect(t.actions).toContain('end client');
    expect(t.authorized).toHaveLength(1);
  });
});

describe('early and interim responses', () => {
  it('100 is relayed to the client, and the body follows', () => {
    const t = new Transcript().client(post('/', 'body', 'Expect: 100-continue').slice(0, -4));
    t.upstream(lines('HTTP/1.1 100 Continue'));
    expect(t.sent('client')).toBe(lines('HTTP/1.1 100 Continue'));
    t.client('body').upstream(ok('done'));
    expect(t.actions.at(-1)).toBe('release upstream');
  });

  it('a final response instead of 100 closes, since the body may come or not', () => {
    const t = new Transcript()
      .client(post('/', 'body', 'Expect: 100-continue').slice(0, -4))
      .upstream(ok('no'));
    expect(t.sent('client')).toContain('Connection: close');
    expect(t.actions.slice(-2)).toEqual(['destroy upstream', 'end client']);
    t.client(get('/next'));
    expect(t.authorized).toHaveLength(1);
  });

  it('no interim response reaches an HTTP/1.0 client', () => {
    const t = new Transcript()
      .client(lines('GET / HTTP/1.0', 'Host: a.test'))
      .upstream(lines('HTTP/1.1 103 Early') + ok('x'));
    expect(t.sent('client')).not.toContain('103');
  });

  it('an early response is relayed at once, and the body to an upstream that stays', () => {
    const t = new Transcript().client(post('/', 'body').slice(0, -2)).upstream(ok('early'));
    expect(t.sent('client')).toBe(ok('early'));
    expect(t.actions).not.toContain('release upstream');
    t.client('dy');
    expect(t.sent('upstream')).toBe(post('/', 'body'));
    expect(t.actions.at(-1)).toBe('release upstream');
    t.client(get('/2'));
    expect(t.authorized).toHaveLength(2);
  });

  it.each([
    ['whole', get('/2') + get('/3'), ''],
    ['begun', get('/2') + get('/3').slice(0, 9), get('/3').slice(9)],
  ])('requests that come %s with the end of an overtaken body are carried', (_, together, later) => {
    const t = new Transcript().client(post('/', 'body').slice(0, -2)).upstream(ok('early'));
    t.client(`dy${together}`);
    expect(t.authorized).toHaveLength(2);
    t.upstream(ok('2')).client(later).upstream(ok('3'));
    expect(t.sent('client')).toBe(ok('early') + ok('2') + ok('3'));
    expect(t.sent('upstream')).toBe(post('/', 'body') + get('/2') + get('/3'));
  });

  it('an early response from an upstream that leaves ends the client’s connection', () => {
    const t = new Transcript().client(post('/', 'body').slice(0, -2)).upstream(ok('early'));
    t.machine.upstreamEnd(true);
    expect(t.actions.slice(-2)).toEqual(['destroy upstream', 'end client']);
    t.client('dy').client(get('/2'));
    expect(t.authorized).toHaveLength(1);
  });

  it('unasked bytes during an upload cost the upstream its connection', () => {
    const t = new Transcript().client(post('/', 'body').slice(0, -2)).upstream(ok('early')).upstream('more');
    expect(t.sent('client')).toBe(ok('early'));
    expect(t.actions.slice(-2)).toEqual(['destroy upstream', 'end client']);
  });
});

describe('switching protocols', () => {
  const handshake = get('/', 'Connection: Upgrade', 'Upgrade: websocket');
  const switched = lines('HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade');

  it('splices after 101 and hands over what each side already sent', () => {
    const t = new Transcript().client(`${handshake}early`).upstream(`${switched}hello`);
    expect(t.sent('client')).toBe(switched);
    expect(t.actions.at(-1)).toBe('splice early|hello');
  });

  it('does not splice on any other response', () => {
    const t = new Transcript().client(`${handshake}${get('/next')}`).upstream(ok('no'));
    expect(t.actions.some((action) => action.startsWith('splice'))).toBe(false);
    expect(t.authorized.map(({ target }) => target)).toEqual(['/', '/next']);
  });

  it('does not splice before the request’s body is sent', () => {
    const t = new Transcript()
      .client(post('/', 'body', 'Connection: Upgrade', 'Upgrade: x').slice(0, -1))
      .upstream(switched);
    expect(t.sent('client')).toBe('<malformed-response, close>');
  });
});

describe('retries', () => {
  it('sends a safe request without a body once more after a stale connection', () => {
    const t = new Transcript();
    t.reused = true;
    t.client(get('/'));
    t.machine.upstreamEnd(false);
    expect(t.take()).toEqual([
      `→upstream ${get('/')}`,
      'destroy upstream',
      'connect afresh',
      `→upstream ${get('/')}`,
    ]);
    t.machine.upstreamEnd(false);
    expect(t.take()).toEqual(['destroy upstream', '→client <no-response>']);
  });

  const refusesToRetry: readonly (readonly [
    name: string,
    request: string,
    answered: string,
    reused: boolean,
  ])[] = [
    ['a request with a body', post('/', 'body'), '', true],
    ['a POST without a body', lines('POST / HTTP/1.1', 'Host: a.test'), '', true],
    ['a PATCH', lines('PATCH / HTTP/1.1', 'Host: a.test'), '', true],
    ['after a byte of a response', get('/'), 'H', true],
    ['on a fresh connection', get('/'), '', false],
    ['an upgrade', get('/', 'Connection: upgrade', 'Upgrade: x'), '', true],
  ];
  for (const [name, request, answered, reused] of refusesToRetry) {
    it(`never retries ${name}`, () => {
      const t = new Transcript();
      t.reused = reused;
      t.client(request);
      if (answered !== '') t.upstream(answered);
      t.machine.upstreamEnd(false);
      expect(t.actions).not.toContain('connect afresh');
      expect(t.sent('client')).toContain('<no-response');
    });
  }
});

describe('renewing a credential on 401', () => {
  const unauthorized = `${lines('HTTP/1.1 401 Unauthorized', 'Content-Length: 2')}no`;
  const renewable = { plan: { renewable: true } };
  const newHead = Buffer.from(get('/', 'Authorization: Bearer new'));

  it('sends the request again, once, with the newer credential', () => {
    const t = new Transcript(renewable).client(get('/')).upstream(unauthorized);
    expect(t.take()).toEqual([`→upstream ${get('/')}`, 'renew', 'pause upstream']);
    t.machine.renewed(newHead);
    expect(t.take()).toEqual(['destroy upstream', 'connect afresh', `→upstream ${newHead.toString()}`]);
    t.upstream(unauthorized);
    expect(t.take()).toEqual([`→client ${unauthorized}`, 'release upstream']);
  });

  it('sends a small body again', () => {
    const t = new Transcript(renewable).client(post('/', 'body')).upstream(unauthorized);
    t.take();
    t.machine.renewed(newHead);
    expect(t.sent('upstream')).toBe(`${newHead.toString()}body`);
    t.upstream(ok('yes')).client(get('/2'));
    expect(t.sent('client')).toBe(ok('yes'));
    expect(t.authorized).toHaveLength(2);
  });

  it('sends a small chunked body again, frame by frame', () => {
    const body = '4\r\nbody\r\n0\r\n\r\n';
    const t = new Transcript(renewable).client(
      `${lines('POST / HTTP/1.1', 'Host: a.test', 'Transfer-Encoding: chunked')}${body}`,
    );
    t.upstream(unauthorized).take();
    t.machine.renewed(newHead);
    expect(t.sent('upstream')).toBe(newHead.toString() + body);
  });

  it('passes the 401 on if there is no newer credential', () => {
    const t = new Transcript(renewable).client(get('/')).upstream(unauthorized);
    t.machine.renewed(undefined);
    expect(t.sent('client')).toBe(unauthorized);
    expect(t.actions).toContain('release upstream');
  });

  it('passes on a 401 whose connection has ended since', () => {
    const t = new Transcript(renewable).client(get('/')).upstream(unauthorized);
    t.machine.upstreamEnd(true);
    t.machine.renewed(undefined);
    expect(t.sent('client')).toBe(unauthorized);
  });

  it('sends nothing when the newer credential comes after the client has left', () => {
    const t = new Transcript(renewable).client(get('/')).upstream(unauthorized);
    t.machine.clientClosed();
    t.take();
    t.machine.renewed(newHead);
    expect(t.take()).toEqual([]);
  });

  it('does not send a body of more than 64 KiB again', () => {
    const t = new Transcript(renewable).client(post('/', 'b'.repeat(70_000))).upstream(unauthorized);
    expect(t.actions).not.toContain('renew');
    expect(t.sent('client')).toBe(unauthorized);
  });

  it('does not send a request again while its body is still coming', () => {
    const t = new Transcript(renewable).client(post('/', 'body').slice(0, -1)).upstream(unauthorized);
    expect(t.actions).not.toContain('renew');
  });

  it('does not ask for a request without a credential', () => {
    const t = new Transcript().client(get('/')).upstream(unauthorized);
    expect(t.actions).not.toContain('renew');
  });
});

describe('the proxy’s own replies', () => {
  it('keep the connection if the request had no body', () => {
    const t = new Transcript({ autoAuthorize: false }).client(get('/'));
    t.machine.reply(({ close }) => Buffer.from(`<no ${close}>`));
    t.client(get('/2'));
    expect(t.sent('client')).toBe('<no false>');
    expect(t.authorized).toHaveLength(2);
  });

  it('close it if a body is still to come, and discard the body', () => {
    const t = new Transcript({ autoAuthorize: false }).client(post('/', 'body').slice(0, -4));
    t.machine.reply(({ close }) => Buffer.from(`<no ${close}>`));
    expect(t.actions.slice(-2)).toEqual(['→client <no true>', 'end client']);
    t.client('body').client(get('/2'));
    expect(t.authorized).toHaveLength(1);
  });

  it('have no body for HEAD', () => {
    const t = new Transcript({ autoAuthorize: false }).client(lines('HEAD / HTTP/1.1', 'Host: a.test'));
    t.machine.reply(({ body }) => Buffer.from(`<body ${body}>`));
    expect(t.sent('client')).toBe('<body false>');
  });
});

describe('backpressure', () => {
  it('a slow client pauses the upstream, until it has drained', () => {
    let blocked = true;
    const t = new Transcript({ blockClient: () => blocked })
      .client(get('/'))
      .upstream(ok('a long response').slice(0, -1));
    expect(t.actions.at(-1)).toBe('pause upstream');
    blocked = false;
    t.machine.clientDrained();
    expect(t.actions.at(-1)).toBe('resume upstream');
  });

  it('a slow upstream pauses the client, until it has drained', () => {
    let blocked = true;
    const t = new Transcript({ blockUpstream: () => blocked }).client(post('/', 'body').slice(0, -1));
    expect(t.actions.at(-1)).toBe('pause client');
    blocked = false;
    t.machine.upstreamDrained();
    expect(t.actions.at(-1)).toBe('resume client');
  });

  it.each([
    ['that is given back', ok('early')],
    ['that is closed', lines('HTTP/1.1 200 OK', 'Content-Length: 0', 'Connection: close')],
  ])('an upstream %s before it has drained no longer blocks the client', (_, answered) => {
    const t = new Transcript({ blockUpstream: () => true }).client(post('/', 'body'));
    expect(t.actions.at(-1)).toBe('pause client');
    t.upstream(answered);
    expect(t.actions.at(-1)).toBe('resume client');
  });

  it('an upstream that is returned to the pool is being read again', () => {
    const t = new Transcript({ blockClient: () => true })
      .client(post('/', 'body').slice(0, -1))
      .upstream(ok('early'));
    expect(t.actions.at(-1)).toBe('pause upstream');
    t.client('y');
    expect(t.actions.slice(-2)).toEqual(['resume upstream', 'release upstream']);
  });
});

describe('departures', () => {
  it('a client that has sent everything and half-closes still gets its response', () => {
    const t = new Transcript().client(get('/'));
    t.machine.clientEnd();
    t.upstream(ok('late'));
    expect(t.sent('client')).toContain('late');
    expect(t.actions.at(-1)).toBe('end client');
  });

  it('a client that leaves closes its upstream connection', () => {
    const t = new Transcript().client(get('/'));
    t.machine.clientClosed();
    expect(t.actions.at(-1)).toBe('destroy upstream');
  });

  it('a client that leaves before the end of its body', () => {
    const t = new Transcript().client(post('/', 'body').slice(0, -1));
    t.machine.clientEnd();
    expect(t.actions.slice(-2)).toEqual(['destroy upstream', 'end client']);
  });

  it('an idle client may leave', () => {
    const t = new Transcript();
    t.machine.clientEnd();
    expect(t.actions).toEqual(['end client']);
  });

  it('an idle timeout within a head is answered', () => {
    const t = new Transcript().client('GET / HT');
    t.machine.idleTimeout();
    expect(t.actions).toEqual(['→client <request-timeout, close>', 'end client']);
  });

  it('an idle timeout instead of a response is answered', () => {
    const t = new Transcript().client(get('/'));
    t.machine.idleTimeout();
    expect(t.actions.slice(1)).toEqual([
      'destroy upstream',
      '→client <response-timeout, close>',
      'end client',
    ]);
  });

  it('an idle timeout within a response cuts the client off', () => {
    const t = new Transcript().client(get('/')).upstream(ok('hello').slice(0, -1));
    t.machine.idleTimeout();
    expect(t.actions.slice(-2)).toEqual(['destroy upstream', 'reset client']);
  });

  it('a decision after the client has left connects to no upstream', () => {
    const t = new Transcript({ autoConnect: false }).client(get('/'));
    t.machine.clientClosed();
    t.machine.upstreamReady(false);
    expect(t.sent('upstream')).toBe('');
    expect(t.actions.at(-1)).toBe('destroy upstream');
  });
});

it('a fault names a rule and never the bytes', () => {
  const t = new Transcript();
  let fault: Fault | undefined;
  t.failed = (failure) => {
    if ('fault' in failure) fault = failure.fault;
    return response('');
  };
  t.client('GET /sk-secret HTTP/1.1\r\nHost: a\r\nAuthorization : sk-secret\r\n\r\n');
  expect(fault).toBeInstanceOf(Fault);
  expect(fault?.reason).not.toContain('secret');
});
