/** The path of a sign-in's page. The session's id in it is a secret. */
export function pagePath(sessionId: string): string {
  return `/auth/sessions/${encodeURIComponent(sessionId)}`;
}
