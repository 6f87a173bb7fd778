/**
 * What a caller says of itself, for a daemon that cannot see its process: the run that it belongs to, and its pid. Both only
 * ever cost the caller something, so they are not signed.
 */
export const runHeader = 'authsome-run';
export const pidHeader = 'authsome-pid';
