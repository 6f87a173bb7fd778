import type { Socket } from 'node:net';
import type { PeerCheck } from '../peers/index.ts';
import type { DecisionSink, ProxyOptions, Timeouts } from './contract.ts';
import type { IdleMonitor, LiveRun, TokenRegistry } from './runs/index.ts';
import type { AlpnCache, UpstreamDialer, UpstreamPool } from './upstream/index.ts';

/** The run that a client belongs to, with that run's connections to upstreams. */
export interface Owner {
  readonly run: LiveRun;
  readonly pool: UpstreamPool;
}

/** What every connection of the proxy shares. */
export interface Context {
  readonly options: ProxyOptions;
  readonly checkPeer: (client: Socket) => PeerCheck;
  readonly decisions: DecisionSink;
  readonly nextDecisionId: () => string;
  readonly timeouts: Timeouts;
  readonly idleMonitor: IdleMonitor;
  readonly owners: TokenRegistry<Owner>;
  readonly dialer: UpstreamDialer;
  readonly alpnCache: AlpnCache;
}
