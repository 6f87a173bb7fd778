/**
 * The proxy that a run's traffic passes through: per-run credentials and CA, blind tunnels, interception, and
 * the injection of a credential at the last moment. Routes, credentials and the dialer arrive as arguments.
 */

export type {
  DecisionSink,
  Proxy,
  ProxyOptions,
  Run,
  RunPhantom,
  RunSpec,
  Timeouts,
  UpstreamRefusal,
} from './contract.ts';
export { type DecisionPreview, type PreviewedRequest, placementText, previewDecision } from './preview.ts';
export { startProxy } from './server.ts';
