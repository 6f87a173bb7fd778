import { isKeyLike, isPhantom, isPlaceholder } from './key-pattern.ts';

const passwords = /(?:^|_)(?:PASSWORD|PASSWD|PASSPHRASE|SECRET)$/i;
const keys =
  /(?:^|_)(?:TOKEN|CREDENTIALS?|APIKEY|(?:API|ACCESS|SECRET|PRIVATE|ENCRYPTION|SIGNING|MASTER|AUTH|SERVICE)_?KEY)$/i;
const urlWithPassword = /^[a-z][a-z0-9+.-]{0,20}:\/\/[^\s/:@]*:([^\s/@]+)@([^\s/:@]+)/i;
const shortestKey = 16;
const shortestPassword = 6;

/** Whether a value looks like a secret by its variable's name, though it is no known provider's. */
export function looksSecret(name: string, value: string): boolean {
  if (!isKeyLike(value) || isPhantom(value)) return false;
  const [, password, host = ''] = urlWithPassword.exec(value) ?? [];
  if (password !== undefined) {
    return !isLoopback(host) && !/^[${]/.test(password) && !isPlaceholder(password);
  }
  if (isPlaceholder(value) || isPathOrAddress(value)) return false;
  if (passwords.test(name)) return value.length >= shortestPassword;
  return keys.test(name) && value.length >= shortestKey && /[0-9]/.test(value) && /[A-Za-z]/.test(value);
}

/** Passwords of services on this machine are seldom secrets, and a run's own proxy is one of these services. */
function isLoopback(host: string): boolean {
  return /^(?:localhost|127\.[0-9.]+|\[::1\])$/i.test(host);
}

function isPathOrAddress(value: string): boolean {
  return /^(?:[~.]{0,2}\/|[A-Za-z]:\\|[a-z][a-z0-9+.-]*:\/\/)/i.test(value);
}
