import type { Environment } from '../../environment.ts';

/** Variables that shells, terminals and desktops set for themselves. */
const everyday =
  /^(?:_|COLORTERM|DISPLAY|HOSTNAME|LANG|LANGUAGE|LC_\w+|LS_COLORS|SHLVL|TERM(?:_\w+)?|TZ|XDG_\w+)$/;
const soundsSecret = /KEY|TOKEN|SECRET|PASS|PAT$|_PWD$|AUTH|CREDENTIAL/i;

/**
 * The variables whose values may be secrets, and what to compare with the vault's. A secret has at least 8 characters, all
 * printable ASCII without spaces, perhaps behind a scheme (`Bearer x`). Under a name that does not sound like one, it is
 * also no path and no URL, and has a digit or both cases. Most environments have few such values, and hashing one costs
 * microseconds. Of what is not compared, known names are left out all the same.
 */
export function suspiciousValues(environment: Environment): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [name, written] of Object.entries(environment)) {
    if (written === undefined || written.length < 8 || name.startsWith('AUTHSOME_')) continue;
    const value = written.trim().replace(/^(?:Bearer|Basic|token)\s+/i, '');
    if (!/^[\x21-\x7e]{8,8192}$/.test(value)) continue;
    if (soundsSecret.test(name) || (!everyday.test(name) && looksRandom(value))) found.set(name, value);
  }
  return found;
}

function looksRandom(value: string): boolean {
  if (/^[./~]|[:=]\//.test(value)) return false;
  return /[0-9]/.test(value) || (/[a-z]/.test(value) && /[A-Z]/.test(value));
}
