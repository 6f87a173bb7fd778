import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openFixture } from './test-daemon.ts';

it('removes its record when it stops, and knows its owner again when it comes back', async () => {
  const fixture = await openFixture();
  const before = await (await fixture.call('GET', '/v1/whoami')).json();
  await fixture.restart();
  const after = await (await fixture.call('GET', '/v1/whoami')).json();
  expect(after).toMatchObject({ principal: (before as { principal: object }).principal });
  const response = await fixture.call('POST', '/v1/daemon/stop', { when: 'now' });
  expect(await response.json()).toEqual({ v: 1, stopping: true, live_runs: 0 });
  await fixture.daemon.stopped;
  expect(existsSync(join(fixture.home, 'server/daemon.json'))).toBe(false);
  await expect(fetch(`${fixture.daemon.url}/health`)).rejects.toThrow();
  rmSync(join(fixture.home, '..'), { recursive: true });
});
