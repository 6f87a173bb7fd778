import { AuthsomeError } from '../../errors.ts';

/** A pasted redirect URL. Usage when it is not one; what was pasted is not repeated. */
export function pastedLanding(pasted: string, redirectUri: string): URL {
  const text = pasted.trim();
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const expected = new URL(redirectUri);
  if (url === undefined || url.origin !== expected.origin || url.pathname !== expected.pathname) {
    throw new AuthsomeError('Usage', 'that is not the redirect URL for this sign-in', {
      hint: `Paste the full address where the browser ended up. It starts with ${redirectUri}`,
    });
  }
  return url;
}
