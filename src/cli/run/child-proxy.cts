/**
 * Preloaded into the Node children of a run (`NODE_OPTIONS=--require`). Node learnt to honour `HTTPS_PROXY` in 22.21
 * and 24; before that its `fetch` goes around the proxy without a word. All that happens here at start is one
 * property: the dispatcher that every copy of undici, Node's own included, looks up when it is first used.
 */
const dispatcher = Symbol.for('undici.globalDispatcher.1');
const slots = globalThis as unknown as Record<symbol, unknown>;
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major < 24 && !(major === 22 && minor >= 21) && slots[dispatcher] === undefined) {
  Object.defineProperty(globalThis, dispatcher, {
    configurable: true,
    get() {
      delete slots[dispatcher];
      try {
        (require('./env-proxy-agent.cjs') as { install(): void }).install();
      } catch {
        // A Node older than undici supports: it goes on as it would have without us.
      }
      return slots[dispatcher];
    },
    set(value: unknown) {
      Object.defineProperty(globalThis, dispatcher, { value, configurable: true, writable: true });
    },
  });
}
