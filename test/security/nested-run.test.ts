import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Acme,
  connectAcme,
  connectPixel,
  createAcme,
  entry,
  lastDocument,
  overridesNote,
} from '../support/fixture.ts';

/**
 * The attack: an agent in a run that is narrowed to one provider (`run -p acme`) starts a run of its own. That one had every
 * connection of the person, or whichever the agent named.
 */
let fixture: Acme;
let nested = '';
beforeAll(async () => {
  fixture = await createAcme();
  await connectAcme(fixture);
  await connectPixel(fixture);
  await connectPixel(fixture, '--connection', 'work');
  nested = `"${process.execPath}" "${entry}" run`;
});
afterAll(() => fixture.close());

const inRun = (options: readonly string[], script: string) =>
  fixture.authsome(['run', ...options, '--', 'sh', '-c', script]);
const variables = 'sh -c \'echo "$ACME_TOKEN|$PIXEL_API_KEY"\'';

describe('a run inside of a run', () => {
  it('has the connections of the outer one, and says so', async () => {
    const { code, stdout, stderr } = await inRun(['-p', 'acme'], `${nested} -- ${variables}`);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^\S+\|\n$/)]);
    expect(stderr).toMatch(/this run is inside of run_[\w-]+\. It has: acme\/default\./);
    expect((await inRun(['-p', 'acme'], `${nested} --quiet -- true`)).stderr).toMatch(overridesNote);
  });

  it('may have fewer', async () => {
    const { code, stdout } = await inRun([], `${nested} -p pixel -- ${variables}`);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^\|\S+\n$/)]);
    const none = await inRun(['-p', 'acme'], `${nested} -p acme -- ${nested} -- ${variables}`);
    expect(none.stdout).toMatch(/^\S+\|\n$/);
  });

  it.each([
    ['another provider', '-p pixel', 'pixel/default'],
    ['another connection', '-p pixel/work', 'pixel/work'],
    ['one more', '-p acme -p pixel', 'pixel/default'],
    ['another one by its name', '--connection pixel=work', 'pixel/work'],
  ])('is refused %s', async (_what, options, added) => {
    const { code, stdout, stderr } = await inRun(['-p', 'acme'], `${nested} ${options} -- ${variables}`);
    expect([code, stdout]).toEqual([12, '']);
    expect(stderr).toContain(`not from inside a run: using ${added}, which the run around it does not have`);
    expect(stderr).toContain(`in a terminal of their own: authsome run ${options} -- sh -c `);
  });

  it.runIf(process.platform === 'linux').each([
    ['unsets the variable', 'env -u AUTHSOME_RUN'],
    ['clears its environment', 'env -i HOME="$HOME" AUTHSOME_HOME="$AUTHSOME_HOME"'],
    ['names a run that has ended', 'AUTHSOME_RUN=run_ended'],
  ])('has no more when it %s', async (_what, hidden) => {
    const { stdout, code } = await inRun(
      ['-p', 'acme'],
      `${hidden} ${nested} -p pixel --json -- ${variables}`,
    );
    expect([code, lastDocument({ stdout })]).toMatchObject([12, { error: 'DeniedInRun' }]);
  });

  it('does not begin when its outer one has ended, or is a run of another home', async () => {
    const env = { AUTHSOME_RUN: 'run_ended' };
    const { code, stderr } = await fixture.authsome(['run', '--', 'true'], { env });
    expect([code, stderr]).toEqual([
      12,
      expect.stringContaining(
        'not from inside a run that has ended, or is one of another home: starting another',
      ),
    ]);
  });

  it('may name others inside of a trusted one, and is on record', async () => {
    const { code, stdout } = await inRun(['--trusted', '-p', 'acme'], `${nested} -p pixel -- ${variables}`);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^\|\S+\n$/)]);
    const { events } = await fixture.json(['log', '-n', '30']);
    const started = events.filter(({ event }: { event: string }) => event === 'run.started');
    // The end of an earlier test's run may be recorded between them.
    expect(started.slice(-2).map(({ detail }: { detail: string }) => detail)).toEqual([
      'sh (trusted): acme/default',
      expect.stringMatching(/^sh \(inside of run_[\w-]+\): pixel\/default$/),
    ]);
  });
});
