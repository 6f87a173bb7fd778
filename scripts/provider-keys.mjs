/**
 * What a bundled definition says about keys, for `dist/provider-keys.json`: the command line goes by it where the daemon is
 * on another machine, whose definitions it does not take at their word.
 */
export function keysOf(definition) {
  const { api_key: apiKey, export: exported, oauth, inject = [] } = definition;
  const { env = {} } = exported ?? {};
  const patterns = [definition.api_url, ...inject.map(({ hosts }) => hosts)].flat();
  const hosts = patterns
    .filter((pattern) => pattern !== undefined)
    .map((pattern) => pattern.replace('{base_url}', oauth?.base_url ?? definition.base_url ?? ''))
    .filter((pattern) => pattern !== '');
  const names = [apiKey?.env_var, env.access_token, env.api_key].flat();
  return {
    name: definition.name,
    display_name: definition.display_name,
    key_variable: apiKey?.env_var ?? null,
    variables: [...new Set(names.filter((name) => name !== undefined))],
    key_pattern: apiKey?.key_pattern ?? null,
    hosts: [...new Set(hosts)],
    takes_key: apiKey !== undefined,
  };
}
