/** What became of a connection's tokens, in words. */
export const atProvider = {
  revoked: 'revoked at the provider, and forgotten here',
  unsupported:
    'forgotten here; the provider has no way to revoke, so end it in your settings there if you must',
  unreachable: 'forgotten here; the provider could not be reached, so end it in your settings there',
} as const;
