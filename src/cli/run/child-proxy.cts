/**
 * Preloaded into the Node children of a run (`NODE_OPTIONS=--require`). By themselves, `fetch`, `http` and `https` go
 * around the proxy without a word. `NODE_USE_ENV_PROXY` is no help: Node knows it from 22.21 and 24.5 on, it costs
 * such a child 28 ms at start, and agents other than the global ones take no notice. All that happens here at start is
 * two properties: nothing is loaded before a program makes use of it.
 */

/** The dispatcher that every copy of undici, Node's own included, looks up when it is first used. */
function watchForFetch(): void {
  const dispatcher = Symbol.for('undici.globalDispatcher.1');
  const slots = globalThis as unknown as Record<symbol, unknown>;
  if (slots[dispatcher] !== undefined) return;
  Object.defineProperty(globalThis, dispatcher, {
    configurable: true,
    get() {
      delete slots[dispatcher];
      try {
        (require('./env-proxy-agent.cjs') as { install(): void }).install();
      } catch {
        // A Node older than undici supports: it continues as without this file.
      }
      return slots[dispatcher];
    },
    set(value: unknown) {
      Object.defineProperty(globalThis, dispatcher, { value, configurable: true, writable: true });
    },
  });
}

/**
 * `node:http` and `node:https` create their global agents while they load, and the constructor sets this property, which
 * is intercepted until then. However the modules are loaded, this is when their agents are taught to use the proxy.
 */
function watchForAgents(): void {
  const property = 'totalSocketCount';
  const { prototype: emitters } = require('node:events') as typeof import('node:events');
  Object.defineProperty(emitters, property, {
    configurable: true,
    set(value: unknown) {
      const own = { value, configurable: true, enumerable: true, writable: true };
      Object.defineProperty(this, property, own);
      try {
        teach(Object.getPrototypeOf(this));
      } catch {
        // As above: a Node with other internals continues as without this file.
      }
    },
  });
  const teach = (kind: import('node:http').Agent): void => {
    const isSecure = Object.hasOwn(kind, '_getSession');
    if (!isSecure && !Object.hasOwn(kind, 'addRequest')) return;
    if (!Object.hasOwn(kind, 'createConnection')) return;
    if (isSecure) delete (emitters as unknown as Record<string, unknown>)[property];
    const { tunnelThroughProxy } = require('./agent-tunnel.cjs') as typeof import('./agent-tunnel.ts');
    tunnelThroughProxy(kind, isSecure, process.env);
  };
}

watchForFetch();
watchForAgents();
