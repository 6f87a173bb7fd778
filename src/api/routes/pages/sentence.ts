/**
 * An error message as a page shows it. Messages are fragments in lower case, for a terminal; a page has sentences. A name
 * of a host that comes first stays as it is.
 */
export function sentence(message: string): string {
  const isHostFirst = /^[a-z0-9-]+(\.[a-z0-9-]+)+/.test(message);
  const text = isHostFirst ? message : message.charAt(0).toUpperCase() + message.slice(1);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
