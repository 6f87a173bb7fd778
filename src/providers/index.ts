/**
 * What a service is: provider definitions (data), their parser with precise errors, the pure host and path
 * matching that routes a request, and the phantoms that stand in for a provider's secrets.
 */
export { loadBundled } from './bundled.ts';
export { type Catalog, createCatalog, type DefinitionProblem } from './catalog.ts';
export { type ParseOptions, parseProvider } from './definition.ts';
export { type DefinitionFolder, openDefinitionFolder } from './definition-folder.ts';
export { canonicalHost, canonicalTarget, type Target } from './host.ts';
export { parseHostPattern } from './host-pattern.ts';
export { judgePath, type PathJudgement } from './path.ts';
export { phantomFor, type RandomBytes } from './phantom.ts';
export type {
  ApiKeyDefinition,
  FlowName,
  InjectRule,
  OauthDefinition,
  Placement,
  Provider,
  ProviderSource,
} from './provider.ts';
export type { HostPattern, MatchResult, Route, RouteTable } from './route.ts';
export { compileRoutes, routesOf } from './route-table.ts';
