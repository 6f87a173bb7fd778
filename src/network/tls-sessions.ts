/** TLS sessions to resume, by peer. */
export interface TlsSessions {
  find(key: string): Buffer | undefined;
  store(key: string, session: Buffer): void;
}

/**
 * The latest session of each of the `capacity` peers used last. A session stays after use, because a server gives no
 * new ticket on a resumed connection.
 */
export function createTlsSessions(capacity: number): TlsSessions {
  const sessions = new Map<string, Buffer>();
  const touch = (key: string, session: Buffer): void => {
    sessions.delete(key);
    sessions.set(key, session);
  };
  return {
    find(key) {
      const session = sessions.get(key);
      if (session !== undefined) touch(key, session);
      return session;
    },
    store(key, session) {
      touch(key, session);
      if (sessions.size <= capacity) return;
      const [oldest] = sessions.keys();
      if (oldest !== undefined) sessions.delete(oldest);
    },
  };
}
