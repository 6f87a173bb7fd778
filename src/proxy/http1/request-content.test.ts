import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Transcript, type TranscriptOptions } from '../testing/test-transcript.ts';
import { type Content, lastChunk, type Plan } from './index.ts';

const lines = (...all: readonly string[]): string => `${all.join('\r\n')}\r\n\r\n`;
const get = lines('GET / HTTP/1.1', 'Host: a.test');
const headOf = (...more: readonly string[]): string => lines('POST / HTTP/1.1', 'Host: a.test', ...more);
const sized = (bytes: number, ...more: readonly string[]): string =>
  headOf(`Content-Length: ${bytes}`, ...more);
const chunked = headOf('Transfer-Encoding: chunked');
const ok = lines('HTTP/1.1 200 OK', 'Content-Length: 0');
const goOn = lines('HTTP/1.1 100 Continue');

/** Looks for a word in all of the content so far. */
function searchFor(word: string): NonNullable<Plan['search']> {
  let seen = '';
  return {
    look(bytes, start, end) {
      seen += bytes.toString('latin1', start, end);
      return seen.includes(word);
    },
    lookAtTrailers: () => false,
  };
}

/** A machine that collects the content of each request before it decides. */
class Collecting extends Transcript {
  readonly contents: Content[] = [];
  readonly maxBytes: number;

  constructor(maxBytes: number, options: TranscriptOptions = {}) {
    super({ ...options, autoAuthorize: false });
    this.maxBytes = maxBytes;
  }

  override authorize(request: Parameters<Transcript['authorize']>[0]): void {
    this.authorized.push(request);
    if (request.framing.kind === 'none') this.machine.forward(this.planFor(request));
    else
      this.machine.collect(this.maxBytes, (content) => {
        this.contents.push({ ...content, bytes: Buffer.from(content.bytes) });
        this.machine.forward(this.planFor(request));
      });
  }

  get texts(): readonly string[] {
    return this.contents.map(({ bytes }) => bytes.toString('latin1'));
  }
}

describe('a search of what a request contains', () => {
  const searching = (word: string) => new Transcript({ plan: { search: searchFor(word) } });

  it('lets pass what it does not find, byte for byte and at once', () => {
    const t = searching('word').client(sized(8)).client('some');
    expect(t.sent('upstream')).toBe(`${sized(8)}some`);
    t.client('what').upstream(ok);
    expect(t.sent('upstream')).toBe(`${sized(8)}somewhat`);
    expect(t.sent('client')).toBe(ok);
  });

  it('sends nothing where the word is in what came with the head', () => {
    const t = new Transcript({ autoConnect: false, plan: { search: searchFor('word') } });
    t.client(`${sized(8)}a word b`);
    expect(t.actions).toEqual(['→client <misplaced, close>', 'end client']);
  });

  it('sends nothing where the word comes before there is a connection', () => {
    const t = new Transcript({ autoConnect: false, plan: { search: searchFor('word') } });
    t.client(`${sized(8)}a wo`).client('rd b');
    t.machine.upstreamReady(false);
    expect(t.sent('upstream')).toBe('');
    expect(t.sent('client')).toBe('<misplaced, close>');
    expect(t.actions).toContain('destroy upstream');
  });

  it('cuts the upstream before the piece that completes the word', () => {
    const t = searching('word')
      .client(`${sized(100)}a w`)
      .client('or')
      .client('d b');
    expect(t.sent('upstream')).toBe(`${sized(100)}a wor`);
    expect(t.sent('client')).toBe('<misplaced, close>');
    expect(t.actions).toContain('destroy upstream');
  });

  it('finds the word across the ends of chunks, and not in their sizes', () => {
    const t = searching('word').client(`${chunked}2\r\nwo\r\n2\r\n`).client('rd\r\n');
    expect(t.sent('upstream')).toBe(`${chunked}2\r\nwo\r\n2\r\n`);
    expect(t.sent('client')).toBe('<misplaced, close>');
    const harmless = searching('2a').client(`${chunked}2a;word\r\n${'x'.repeat(42)}\r\n0\r\n\r\n`);
    expect(harmless.sent('client')).toBe('');
    expect(harmless.sent('upstream')).toContain('2a;word');
  });

  it('resets a client whose response has begun', () => {
    const t = searching('word')
      .client(`${sized(100)}a`)
      .upstream(lines('HTTP/1.1 200 OK', 'Content-Length: 9'));
    t.client('word');
    expect(t.sent('upstream')).toBe(`${sized(100)}a`);
    expect(t.actions.at(-1)).toBe('reset client');
  });

  it('keeps a request that follows the body for its own turn', () => {
    const t = searching('word')
      .client(`${sized(4)}bodyGET /word HTTP/1.1\r\nHost: a.test\r\n\r\n`)
      .upstream(ok);
    expect(t.authorized).toHaveLength(2);
    expect(t.sent('upstream')).toBe(`${sized(4)}bodyGET /word HTTP/1.1\r\nHost: a.test\r\n\r\n`);
  });

  it('does not read on while a piece waits for a connection', () => {
    const t = new Transcript({ autoConnect: false, plan: { search: searchFor('word') } });
    t.client(`${sized(8)}some`);
    expect(t.actions).toContain('pause client');
    t.machine.upstreamReady(false);
    expect(t.actions.at(-1)).toBe('resume client');
  });
});

describe('content that is collected before the decision', () => {
  it('goes out unchanged, in its own framing, once it is complete', () => {
    const body = '2;x=y\r\nso\r\n2\r\nme\r\n0\r\nX-T: 1\r\n\r\n';
    const t = new Collecting(100).client(chunked);
    for (const byte of body.slice(0, -1)) t.client(byte);
    expect(t.sent('upstream')).toBe('');
    t.client('\n').upstream(ok);
    expect(t.contents).toEqual([{ bytes: Buffer.from('some'), isWhole: true, trailers: 'X-T: 1\r\n' }]);
    expect(t.sent('upstream')).toBe(chunked + body);
    expect(t.sent('client')).toBe(ok);
  });

  it('may give way to another body', () => {
    const plan = { head: Buffer.from(sized(5)), body: Buffer.from('other') };
    const t = new Collecting(100, { plan }).client(`${sized(4)}body${get}`);
    expect(t.texts).toEqual(['body']);
    expect(t.sent('upstream')).toBe(`${sized(5)}other`);
    t.upstream(ok);
    expect(t.authorized).toHaveLength(2);
  });

  it('is asked for where the client waits with it, and not where it has come', () => {
    const expects = sized(4, 'Expect: 100-continue');
    const t = new Collecting(100).client(expects);
    expect(t.sent('client')).toBe(goOn);
    t.client('body').upstream(ok);
    expect(t.sent('client')).toBe(goOn + ok);
    expect(t.sent('upstream')).toContain('body');
    expect(new Collecting(100).client(`${expects}bo`).sent('client')).toBe('');
  });

  it('that is too long streams on from where it was', () => {
    const t = new Collecting(5).client(`${sized(12)}hello`);
    expect(t.sent('upstream')).toBe('');
    t.client(' big');
    expect(t.contents).toMatchObject([{ bytes: Buffer.from('hello'), isWhole: false }]);
    expect(t.sent('upstream')).toBe(`${sized(12)}hello big`);
    t.client(' wo').upstream(ok);
    expect(t.sent('upstream')).toBe(`${sized(12)}hello big wo`);
    expect(t.sent('client')).toBe(ok);
  });

  it('is refused with its framing still in step where it was complete', () => {
    const t = new Transcript({ autoAuthorize: false }).client(`${sized(4)}body${get}`);
    t.machine.collect(100, () =>
      t.machine.reply(({ close }) => Buffer.from(`<no${close ? ', close' : ''}>`)),
    );
    expect(t.sent('client')).toBe('<no>');
    expect(t.authorized).toHaveLength(2);
  });

  it.each([
    ['is malformed', (t: Collecting) => t.client('zz\r\n'), '<malformed-body, close>'],
    ['is never completed', (t: Collecting) => t.machine.clientEnd(), ''],
    ['does not go on', (t: Collecting) => t.machine.idleTimeout(), ''],
  ])('that %s reaches no upstream', (_, next, answer) => {
    const t = new Collecting(100).client(
      `${chunked}4\r\nbo`.replace('4\r\nbo', answer === '' ? '4\r\nbo' : ''),
    );
    next(t);
    expect(t.sent('upstream')).toBe('');
    expect(t.sent('client')).toBe(answer);
    expect(t.contents).toEqual([]);
  });

  it('is sent again with a newer credential, changed once more', () => {
    const plan = { head: Buffer.from(sized(5)), body: Buffer.from('other'), renewable: true };
    const t = new Collecting(100_000, { plan }).client(`${sized(70_000)}${'b'.repeat(70_000)}`);
    t.upstream(lines('HTTP/1.1 401 Unauthorized', 'Content-Length: 0')).take();
    t.machine.renewed(Buffer.from(sized(3)), Buffer.from('new'));
    expect(t.sent('upstream')).toBe(`${sized(3)}new`);
  });

  it('does not depend on how it is cut', () => {
    const body = `3\r\nsom\r\n9\r\newhat lon\r\n1\r\ng\r\n${lastChunk('').toString()}`;
    fc.assert(
      fc.property(fc.array(fc.nat(body.length), { maxLength: 6 }), fc.nat(16), (cuts, maxBytes) => {
        const positions = [0, ...cuts.toSorted((a, b) => a - b)];
        const t = new Collecting(maxBytes).client(chunked);
        for (const [index, from] of positions.entries()) t.client(body.slice(from, positions[index + 1]));
        t.upstream(ok);
        expect(t.sent('upstream')).toBe(chunked + body);
        expect(t.texts).toEqual(['somewhat long'.slice(0, maxBytes)]);
        expect(t.contents[0]?.isWhole).toBe(maxBytes >= 13);
        expect(t.sent('client')).toBe(ok);
      }),
    );
  });
});
