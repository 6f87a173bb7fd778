/** Everything that is measured: what a start costs, and what the proxy costs. `npm run bench`, after `npm run build`. */
await import('./start.mjs');
await import('./proxy.mjs');
