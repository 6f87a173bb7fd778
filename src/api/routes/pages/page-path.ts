/** The path of a sign-in's page. It shows nothing to a browser without the sign-in's cookie. */
export function pagePath(sessionId: string): string {
  return `/auth/sessions/${encodeURIComponent(sessionId)}`;
}

/** The path that a browser is started with. The first one that opens it gets the cookie. */
export function ticketPath(sessionId: string, ticket: string): string {
  return `${pagePath(sessionId)}/${encodeURIComponent(ticket)}`;
}
