/** What happened to a connection's tokens, in words. */
export const atProvider = {
  revoked: 'revoked at the provider, and removed from this machine',
  unsupported:
    'removed from this machine; the provider cannot revoke it, so revoke it in your account settings there if needed',
  unreachable:
    'removed from this machine; the provider could not be reached, so revoke it in your account settings there',
} as const;
