import type { Environment } from '../../environment.ts';
import type { GivenVariables } from './given-variables.ts';

/** What a child's environment takes from its run; a `RunDocument` fits. */
export interface RunSettings extends GivenVariables {
  readonly run_id: string;
  readonly proxy_url: string;
  readonly ca_file: string;
  readonly ca_bundle_file: string;
}

export interface RunFiles {
  /** Absolute path of the CommonJS file that makes a Node child use the proxy. */
  readonly childProxy: string;
}

/** The last is all that Python's aiohttp reads for a WebSocket. */
const proxyVariables = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'WSS_PROXY'];

/** Some tools read these first. They are set only where the parent set one, which would bypass the run's proxy. */
const toolProxyVariables = [
  'npm_config_proxy',
  'npm_config_https_proxy',
  'NPM_CONFIG_PROXY',
  'NPM_CONFIG_HTTPS_PROXY',
  'YARN_HTTP_PROXY',
  'YARN_HTTPS_PROXY',
  'CARGO_HTTP_PROXY',
  'grpc_proxy',
  'GRPC_PROXY',
  'PIP_PROXY',
];

/** The named certificate is trusted besides the toolchain's own roots. */
const addingVariables = ['NODE_EXTRA_CA_CERTS', 'DENO_CERT'];

/** The named file is trusted instead of the toolchain's own roots, so it must contain those as well. */
const replacingVariables = [
  'SSL_CERT_FILE', // OpenSSL, Go, Ruby, Rust (rustls-native-certs), uv, httpx, aiohttp
  'REQUESTS_CA_BUNDLE', // Python requests
  'CURL_CA_BUNDLE', // curl, Python requests
  'GIT_SSL_CAINFO', // git
  'AWS_CA_BUNDLE', // AWS CLI, boto3
  'PIP_CERT', // pip
  'CARGO_HTTP_CAINFO', // cargo
  'HTTPLIB2_CA_CERTS', // Python httplib2, Google's clients
  'CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE', // gcloud
  'GRPC_DEFAULT_SSL_ROOTS_FILE_PATH', // gRPC core: C++, Python, Ruby, PHP
  'PERL_LWP_SSL_CA_FILE', // Perl LWP
  'COMPOSER_CAFILE', // PHP Composer
  'HEX_CACERTS_PATH', // Elixir
  'NIX_SSL_CERT_FILE', // Nix
  'YARN_HTTPS_CA_FILE_PATH', // Yarn
  'npm_config_cafile', // npm, pnpm
];

/** authsome's own variables that a child may see: they say where the daemon is, and give no access to it. */
const harmlessVariables = new Set([
  'AUTHSOME_HOME',
  'AUTHSOME_BASE_URL',
  'AUTHSOME_HOST',
  'AUTHSOME_PORT',
  'AUTHSOME_IDENTITY',
  'AUTHSOME_EXTRA_CA_CERTS',
  'AUTHSOME_RESOLVE',
  'AUTHSOME_LOG_LEVEL',
]);

const loopback = ['localhost', '127.0.0.1', '::1'];

/** The CA files that the parent's environment names, for the run's own bundle to keep. */
export function caFilesOf(parent: Environment): readonly string[] {
  const names = [...addingVariables, ...replacingVariables, 'NPM_CONFIG_CAFILE'];
  const files = names.map((name) => parent[name]).filter((file) => file !== undefined && file !== '');
  return [...new Set(files as string[])];
}

/** The environment of a run's child: the parent's, led through the run's proxy, phantoms in place of secrets. */
export function runEnvironment(
  parent: Environment,
  run: RunSettings,
  files: RunFiles,
  platform: NodeJS.Platform,
): Record<string, string> {
  const child: Record<string, string> = {};
  for (const [name, value] of Object.entries(parent)) {
    if (value === undefined) continue;
    if (name.startsWith('AUTHSOME_') && !harmlessVariables.has(name)) continue;
    child[name] = value;
  }
  for (const name of run.secret_variables) delete child[name];
  for (const name of proxyVariables) setBothCases(child, name, run.proxy_url, platform);
  for (const name of toolProxyVariables) if (child[name] !== undefined) child[name] = run.proxy_url;
  setBothCases(child, 'NO_PROXY', mergedNoProxy(parent), platform);
  for (const name of addingVariables) {
    child[name] = isNamed(parent[name]) ? run.ca_bundle_file : run.ca_file;
  }
  for (const name of replacingVariables) child[name] = run.ca_bundle_file;
  if (child.NPM_CONFIG_CAFILE !== undefined) child.NPM_CONFIG_CAFILE = run.ca_bundle_file;
  child.NODE_OPTIONS = withRequire(parent.NODE_OPTIONS, files.childProxy);
  child.AUTHSOME_RUN = run.run_id;
  return Object.assign(child, run.phantoms);
}

/** Windows ignores the case of names, so only one of the two spellings can exist there. */
function setBothCases(
  child: Record<string, string>,
  name: string,
  value: string,
  platform: NodeJS.Platform,
): void {
  child[name] = value;
  if (platform !== 'win32') child[name.toLowerCase()] = value;
}

/** The parent's exceptions and loopback. `*` is left out: everything would bypass the run's proxy. */
function mergedNoProxy(parent: Environment): string {
  const given = [parent.NO_PROXY, parent.no_proxy].flatMap((list) => (list ?? '').split(/[\s,]+/));
  const hosts = given.filter((entry) => entry !== '' && entry !== '*');
  return [...new Set([...hosts, ...loopback])].join(',');
}

/** `NODE_OPTIONS` splits at spaces, but not inside double quotes, where a backslash escapes. */
function withRequire(options: string | undefined, file: string): string {
  const quoted = /[\s"\\]/.test(file) ? `"${file.replace(/["\\]/g, '\\$&')}"` : file;
  const ours = `--require ${quoted}`;
  if (!isNamed(options)) return ours;
  return options.includes(ours) ? options : `${options} ${ours}`;
}

function isNamed(value: string | undefined): value is string {
  return value !== undefined && value !== '';
}
