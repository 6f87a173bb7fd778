import { describe, expect, it } from 'vitest';
import { discoverResource, discoverServer } from './discovery.ts';
import { readRegistration } from './registration.ts';
import { retryAfterMs } from './retry-after.ts';
import { rememberWaits } from './waits.ts';

const date = 'Mon, 01 Jun 2026 12:00:00 GMT';

it.each([
  ['5', 5_000],
  [' 5 ', 5_000],
  ['99999999999999999999', 600_000],
  ['Mon, 01 Jun 2026 12:00:30 GMT', 30_000],
  ['Mon, 01 Jun 2027 12:00:30 GMT', 600_000],
  ['Mon, 01 Jun 2026 11:00:00 GMT', undefined],
  ['0', undefined],
  ['-5', undefined],
  ['1.5', undefined],
  ['soon', undefined],
  ['', undefined],
])('Retry-After: %s is %s ms', (value, ms) => {
  expect(retryAfterMs(new Headers({ 'retry-after': value, date }))).toBe(ms);
});

describe('a server that wants to be left alone', () => {
  function busy(status: number, headers: Record<string, string> = { 'retry-after': '30' }) {
    const clock = { nowMs: 1_000 };
    const asked: string[] = [];
    const fetch = async (input: string | URL | Request) => {
      asked.push(String(input));
      return new Response('', { status, headers });
    };
    return { clock, asked, fetch: rememberWaits(() => clock.nowMs).obeying(fetch) };
  }

  it.each([429, 503])('by status %i is not asked before that, at none of its addresses', async (status) => {
    const { clock, asked, fetch } = busy(status);
    await fetch('https://id.example/a');
    clock.nowMs += 29_999;
    await expect(fetch(new Request('https://id.example/b'))).rejects.toMatchObject({
      code: 'EndpointUnreachable',
      message: 'id.example is busy and asks to be left alone for now',
      hint: 'Try again in 1 s.',
    });
    await fetch('https://other.example/');
    clock.nowMs += 1;
    await fetch('https://id.example/b');
    expect(asked).toEqual(['https://id.example/a', 'https://other.example/', 'https://id.example/b']);
  });

  it('is asked again when the clock was set back, and at once where it does not say how long', async () => {
    const { clock, asked, fetch } = busy(503);
    clock.nowMs = 3_600_000;
    await fetch('https://id.example/a');
    clock.nowMs = 0;
    await fetch('https://id.example/a');
    const silent = busy(503, {});
    await silent.fetch('https://id.example/a');
    await silent.fetch('https://id.example/a');
    const refusing = busy(403);
    await refusing.fetch('https://id.example/a');
    await refusing.fetch('https://id.example/a');
    expect([asked.length, silent.asked.length, refusing.asked.length]).toEqual([2, 2, 2]);
  });

  it('is not asked for its other metadata', async () => {
    const { asked, fetch } = busy(429);
    const failure = { code: 'EndpointUnreachable', hint: 'Try again in 30 s.' };
    await expect(discoverServer(fetch, 'https://id.example/tenant')).rejects.toMatchObject(failure);
    expect(asked).toHaveLength(1);
    const resource = busy(503);
    await expect(discoverResource(resource.fetch, 'https://mcp.example/mcp')).rejects.toMatchObject(failure);
    expect(resource.asked).toEqual(['https://mcp.example/mcp']);
  });

  it('says so when it registers no client', () => {
    const reply = { status: 429, contentType: '', body: '', retryAfterMs: 1_500 };
    expect(() => readRegistration(reply, 'acme', 'x')).toThrow(
      expect.objectContaining({ code: 'SignInFailed', hint: 'Try again in 2 s.' }),
    );
  });
});
