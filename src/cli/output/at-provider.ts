/** What happened to a connection's tokens, in words. */
export const atProvider = {
  revoked: 'revoked at the provider, and removed from this machine',
  unsupported:
    'removed from this machine. authsome cannot revoke it at this provider: use your account settings there',
  unreachable:
    'removed from this machine. The provider could not be reached: revoke it in your account settings there',
} as const;
