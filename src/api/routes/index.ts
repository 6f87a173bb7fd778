/**
 * The routes of the API and of the pages, a file for each subject. A route reads the request, calls a service and writes
 * the document that answers it.
 */
export { adoptionRoutes } from './adoptions.ts';
export { auditRoutes } from './audit.ts';
export { authSessionRoutes } from './auth-sessions.ts';
export { connectionRoutes } from './connections.ts';
export { daemonRoutes } from './daemon.ts';
export { openRoutes } from './open.ts';
export { pageRoutes, ticketPath } from './pages/index.ts';
export { probeRoutes } from './probes.ts';
export { providerRoutes } from './providers.ts';
export { runPreviewRoutes } from './run-previews.ts';
export { runRoutes } from './runs.ts';
export { scanRoutes } from './scan.ts';
export { vaultRoutes } from './vault.ts';
