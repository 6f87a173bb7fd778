import type { Assignment } from './assignment.ts';

const credentials =
  /\b[a-z][a-z0-9+.-]{0,20}:\/\/([^\s/:@"'<>]{0,2000})(?::([^\s/@"'<>]{0,2000}))?@([^\s/:@"'<>]{1,260})/gi;

type UrlSecret = Pick<Assignment, 'value' | 'start' | 'end' | 'host' | 'isReference' | 'spell'>;

/**
 * The passwords in the URLs of a text (RFC 3986 §3.2.1), with offsets into it. Some services take a token in place of the user:
 * that counts where there is no password, or one that says so.
 */
export function secretsInUrls(text: string): readonly UrlSecret[] {
  return [...text.matchAll(credentials)].flatMap((match): readonly UrlSecret[] => {
    const [whole, user = '', password = '', host = ''] = match;
    const isUser = password === '' || password === 'x-oauth-basic';
    const written = isUser ? user : password;
    if (written === '') return [];
    const userAt = match.index + whole.indexOf('://') + 3;
    const start = isUser ? userAt : userAt + user.length + 1;
    return [
      {
        value: decoded(written),
        start,
        end: start + written.length,
        host: host.toLowerCase(),
        isReference: /[${]/.test(written),
        spell: encodeURIComponent,
      },
    ];
  });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
