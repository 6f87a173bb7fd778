import { describe, expect, it } from 'vitest';
import { caFilesOf, runEnvironment } from './environment.ts';

const run = {
  run_id: 'run_1',
  proxy_url: 'http://run_1:pass@127.0.0.1:4000',
  ca_file: '/home/a/runs/run_1/ca.pem',
  ca_bundle_file: '/home/a/runs/run_1/bundle.pem',
  phantoms: { OPENAI_API_KEY: 'sk-phantom' },
  secret_variables: ['OPENAI_API_KEY', 'GITHUB_CLIENT_SECRET'],
};
const files = { childProxy: '/opt/authsome/child-proxy.cjs' };
const environmentOf = (parent: Record<string, string>, platform: NodeJS.Platform = 'linux') =>
  runEnvironment(parent, run, files, platform);

describe('the environment of a run', () => {
  it('leads through the proxy in both cases', () => {
    const child = environmentOf({});
    for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'WSS_PROXY']) {
      expect(child[name]).toBe(run.proxy_url);
      expect(child[name.toLowerCase()]).toBe(run.proxy_url);
    }
    expect(environmentOf({}, 'win32').http_proxy).toBeUndefined();
  });

  it('replaces a proxy of the parent, and that of a tool which looks elsewhere first', () => {
    const child = environmentOf({
      https_proxy: 'http://corp:3128',
      npm_config_https_proxy: 'http://corp:3128',
    });
    expect(Object.values(child)).not.toContain('http://corp:3128');
    expect(child.YARN_HTTPS_PROXY).toBeUndefined();
  });

  it('merges NO_PROXY with loopback, and does not let a star bypass the proxy', () => {
    const child = environmentOf({ NO_PROXY: 'intra.example, localhost', no_proxy: '*,other.example' });
    expect(child.NO_PROXY).toBe('intra.example,localhost,other.example,127.0.0.1,::1');
    expect(child.no_proxy).toBe(child.NO_PROXY);
  });

  it('gives the run’s CA alone where the variable adds, the bundle where it replaces', () => {
    const child = environmentOf({});
    expect(child.NODE_EXTRA_CA_CERTS).toBe(run.ca_file);
    expect(child.DENO_CERT).toBe(run.ca_file);
    for (const name of [
      'SSL_CERT_FILE',
      'REQUESTS_CA_BUNDLE',
      'CURL_CA_BUNDLE',
      'GIT_SSL_CAINFO',
      'AWS_CA_BUNDLE',
    ]) {
      expect(child[name]).toBe(run.ca_bundle_file);
    }
  });

  it('gives the bundle, which keeps the parent’s own file, where an adding variable was taken', () => {
    const parent = { NODE_EXTRA_CA_CERTS: '/etc/corp.pem', SSL_CERT_FILE: '/etc/corp.pem', PIP_CERT: '' };
    expect(environmentOf(parent).NODE_EXTRA_CA_CERTS).toBe(run.ca_bundle_file);
    expect(caFilesOf(parent)).toEqual(['/etc/corp.pem']);
  });

  it('puts phantoms in place of real values and removes the secrets that have none', () => {
    const child = environmentOf({ OPENAI_API_KEY: 'sk-real', GITHUB_CLIENT_SECRET: 'real', EDITOR: 'vi' });
    expect(child.OPENAI_API_KEY).toBe('sk-phantom');
    expect(child).not.toHaveProperty('GITHUB_CLIENT_SECRET');
    expect(child.EDITOR).toBe('vi');
  });

  it('passes on where the daemon is, and nothing that gives access to it', () => {
    const child = environmentOf({
      AUTHSOME_HOME: '/home/a',
      AUTHSOME_MASTER_KEY: 'm',
      AUTHSOME_PASSPHRASE_FILE: '/run/secrets/vault',
      AUTHSOME_IDENTITY_KEY: 'k',
      AUTHSOME_DATABASE_URL: 'postgres://u:p@h/d',
    });
    expect(Object.keys(child).filter((name) => name.startsWith('AUTHSOME_'))).toEqual([
      'AUTHSOME_HOME',
      'AUTHSOME_RUN',
    ]);
    expect(child.AUTHSOME_RUN).toBe('run_1');
  });

  it('adds to NODE_OPTIONS once, and quotes a path with spaces', () => {
    expect(environmentOf({}).NODE_OPTIONS).toBe('--require /opt/authsome/child-proxy.cjs');
    expect(environmentOf({ NODE_OPTIONS: '--max-old-space-size=99' }).NODE_OPTIONS).toBe(
      '--max-old-space-size=99 --require /opt/authsome/child-proxy.cjs',
    );
    const again = environmentOf({}).NODE_OPTIONS ?? '';
    expect(environmentOf({ NODE_OPTIONS: again }).NODE_OPTIONS).toBe(again);
    const spaced = runEnvironment({}, run, { childProxy: 'C:\\My "Files"\\p.cjs' }, 'win32');
    expect(spaced.NODE_OPTIONS).toBe('--require "C:\\\\My \\"Files\\"\\\\p.cjs"');
  });

  it('leaves the parent’s environment as it was', () => {
    const parent = Object.freeze({ HTTP_PROXY: 'http://corp:3128', OPENAI_API_KEY: 'sk-real' });
    environmentOf(parent);
    expect(parent).toEqual({ HTTP_PROXY: 'http://corp:3128', OPENAI_API_KEY: 'sk-real' });
  });
});
