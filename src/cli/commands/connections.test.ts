import { describe, expect, it } from 'vitest';
import type { ApproveHostsRequest, HostsDocument } from '../../client/index.ts';
import { testContext } from '../test-context.ts';
import { approveHosts } from './connections.ts';

const shown: HostsDocument = {
  v: 1,
  provider: 'acme',
  connection: 'work',
  before: ['api.acme.example'],
  after: ['api.acme.example', 'more.example'],
  added: ['more.example'],
};

function setUp(
  answer: boolean | undefined,
  more: { readonly json?: boolean; readonly hosts?: HostsDocument } = {},
) {
  const approved: ApproveHostsRequest[] = [];
  const asked: string[] = [];
  const client = {
    hosts: async () => more.hosts ?? shown,
    approveHosts: async (_: string, request: ApproveHostsRequest) => {
      approved.push(request);
      return shown;
    },
  };
  const confirm = async (question: string): Promise<boolean> => {
    asked.push(question);
    return answer ?? false;
  };
  const questions = answer === undefined ? {} : { questions: { confirm, secret: async () => undefined } };
  return { ...testContext({ client, json: more.json ?? false, ...questions }), approved, asked };
}

describe('approving hosts', () => {
  it('shows them, and approves exactly those after a yes', async () => {
    const { context, output, approved, asked } = setUp(true);
    await approveHosts(context, { provider: 'acme', connection: 'work', yes: false });
    expect(output.stderr).toMatch(/^before +api\.acme\.example$/m);
    expect(output.stderr).toMatch(/^added +more\.example$/m);
    expect(asked).toHaveLength(1);
    expect(approved).toEqual([{ connection: 'work', hosts: shown.after }]);
  });

  it('approves nothing after another answer', async () => {
    const { context, approved } = setUp(false);
    await expect(approveHosts(context, { provider: 'acme', yes: false })).rejects.toMatchObject({
      code: 'Cancelled',
    });
    expect(approved).toEqual([]);
  });

  it('approves nothing where nobody can answer', async () => {
    const { context, approved } = setUp(undefined);
    await expect(approveHosts(context, { provider: 'acme', yes: false })).rejects.toMatchObject({
      code: 'Usage',
      hint: 'Allow it with: authsome connections approve-hosts acme/work --yes',
    });
    expect(approved).toEqual([]);
  });

  it('takes --yes for the answer, and prints one document under --json', async () => {
    const { context, output, approved } = setUp(undefined, { json: true });
    await approveHosts(context, { provider: 'acme', yes: true });
    expect(JSON.parse(output.stdout)).toEqual(shown);
    expect(approved).toHaveLength(1);
  });

  it('asks nothing where nothing is to be approved', async () => {
    const hosts = { ...shown, after: shown.before, added: [] };
    const { context, output, approved, asked } = setUp(true, { hosts });
    await approveHosts(context, { provider: 'acme', yes: false });
    expect(output.stderr).toBe('acme/work has no host to approve.\n');
    expect([approved, asked]).toEqual([[], []]);
  });
});
