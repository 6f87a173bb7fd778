/**
 * Which hosts and addresses are this machine: the only ones that may be spoken to without TLS, and the only ones a local
 * daemon listens on.
 */

/** Whether a host in lower case, as a URL or an address list spells it, is this machine by its very name. */
export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/**
 * The same, and names below `localhost` (RFC 6761 §6.3). For what the daemon connects to itself, through the checks of
 * its dialer; a browser or another program may look such a name up elsewhere.
 */
export function isLoopbackName(host: string): boolean {
  return isLoopbackHost(host) || host.endsWith('.localhost');
}

/**
 * The same, and other spellings that lead here: `0.0.0.0` and IPv4 inside IPv6. For addresses that somebody else wrote and a
 * browser may open. In lower case, IPv6 with or without its brackets.
 */
export function isThisMachine(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
  return (
    isLoopbackName(bare) || /^0(?:\.\d{1,3}){3}$/.test(bare) || /^::(?:ffff:(?:7f|0:)[0-9a-f:]*)?$/.test(bare)
  );
}

/** Whether the address of a connected socket is of this machine, IPv4 inside IPv6 included. */
export function isLoopbackAddress(address: string): boolean {
  return /^(?:127\.|::1$|::ffff:127\.)/.test(address);
}
