/**
 * What a service is: provider definitions (data), their parser with precise errors, the pure host and path
 * matching that routes a request, and the phantoms that stand in for a provider's secrets.
 */
export type { InjectRule, OauthDefinition, Placement, Provider, ProviderSource } from './provider.ts';
export type { MatchResult, Route, RouteTable } from './route.ts';
