import { type Fields, variableForm } from './fields.ts';

/** What a secret's variable ends in. */
const secretEnding = /_(?:TOKEN|KEY|SECRET|PAT|PASSWORD|CREDENTIALS)$/;

/** Variables that say how programs run, which files and addresses they use, or how the proxy is reached. */
const steering = new RegExp(
  `^(?:${[
    'PATH|HOME|SHELL|USER|LOGNAME|TERM|IFS|ENV|BASH_.*|PS[0-9]|PROMPT_COMMAND|CDPATH|TMPDIR',
    'EDITOR|VISUAL|PAGER|MANPAGER|BROWSER|LESS.*|[A-Z_]*ASKPASS|SSH_.*|GIT_.*|GNUPGHOME|KUBECONFIG',
    'LD_.*|DYLD_.*|NODE_.*|NPM_CONFIG_.*|DENO_.*|PYTHON.*|RUBY.*|BUNDLE_.*|PERL.*',
    'JAVA_TOOL_OPTIONS|_JAVA_OPTIONS|JDK_.*|CLASSPATH|GOFLAGS|GOPROXY|MAKEFLAGS|DOCKER_HOST|OPENSSL_.*',
    'SSL_.*|SSLKEYLOGFILE|CURL_.*|REQUESTS_.*|(?:.*_)?CA_.*|.*_PROXY|.*_BASE_URL|AUTHSOME_.*',
  ].join('|')})$`,
  // As some programs and Windows read names.
  'i',
);

/**
 * Further endings, for a variable of the provider's own name. Only these: a stranger chooses that name, so that `RSYNC_RSH` or
 * `LUA_INIT_5_4` would be a provider's own.
 */
const ownEnding =
  /_(?:ACCESS|API|APIKEY|AUTH|AUTHORIZATION|BEARER|COOKIE|CREDENTIAL|CREDS|JWT|PASS|PASSWD|SECRETS|TOKENS)$/;

const allowedEndings = '_TOKEN, _KEY, _SECRET, _PAT, _PASSWORD or _CREDENTIALS';

/**
 * Why a definition may not set this variable in the child of a run; `undefined` when it may. No list of variables that
 * run programs is complete, so the names that secrets have are listed instead.
 */
export function settableFault(name: string, provider: string): string | undefined {
  const fault = readableFault(name);
  if (fault !== undefined) return fault;
  if (secretEnding.test(name)) return undefined;
  const own = `${provider.toUpperCase().replaceAll('-', '_')}_`;
  if (name.startsWith(own) && ownEnding.test(name)) return undefined;
  return `must end in ${allowedEndings}, or begin with ${own} and end like a secret, such as ${own}AUTH`;
}

/** Why a definition may not read this variable; a run leaves it out of its child, too. `undefined` when it may. */
function readableFault(name: string): string | undefined {
  if (!variableForm.pattern.test(name)) return variableForm.sentence;
  return steering.test(name) ? `must not be ${name}: that variable changes how programs run` : undefined;
}

/** The variable that a field names, for a login to read. */
export function parseReadVariable(fields: Fields, key: string): string | undefined {
  const name = fields.text(key);
  const fault = name === undefined ? undefined : readableFault(name);
  return fault === undefined ? name : fields.fault(key, fault);
}
