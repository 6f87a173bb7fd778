/**
 * The daemon's HTTP API and its sign-in pages, and who may call them.
 */
export { createApp, type Routes } from './app.ts';
export { authenticate } from './authenticate.ts';
export { guardedCalls } from './guarded-calls.ts';
export { type PeerGateOptions, peerGate, requireAllowedPeer } from './peer.ts';
export { neededRoles, requireRole } from './roles.ts';
export {
  adoptionRoutes,
  auditRoutes,
  authSessionRoutes,
  connectionRoutes,
  daemonRoutes,
  openRoutes,
  pageRoutes,
  probeRoutes,
  providerRoutes,
  runPreviewRoutes,
  runRoutes,
  scanRoutes,
  ticketPath,
  vaultRoutes,
} from './routes/index.ts';
export { runGuard } from './run-guard.ts';
export { type PublicAddress, signResponses } from './sign-responses.ts';
