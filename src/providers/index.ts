/**
 * What a service is: provider definitions (data), their parser with precise errors, the pure host and path
 * matching that routes a request, and the phantoms that stand in for a provider's secrets.
 */
export {
  type ApprovedHosts,
  definedHosts,
  hostsChange,
  isOwnUrl,
  unapprovedHosts,
} from './approved-hosts.ts';
export { type AsksInEachForm, asksOf, type DefinitionAsks } from './asks.ts';
export { loadBundled } from './bundled.ts';
export type { CaptureDefinition, CaptureEndpoint, CaptureRoute, CaptureTable } from './capture.ts';
export { compileCaptures, hostsOf, withCaptures } from './capture-table.ts';
export { type Catalog, createCatalog, type DefinitionReview } from './catalog.ts';
export { ownerOfHostIn } from './competing-routes.ts';
export { openDefinitionFolder } from './definition-folder.ts';
export { canonicalHost, registrableDomain } from './host.ts';
export { parseProvider, settableFault, unknownFields, unknownFieldText } from './parse/index.ts';
export { readPath } from './path.ts';
export { couldBePhantom, isFromTemplate, kindOfSecret, phantomFor, phantomOf } from './phantom/index.ts';
export { type HeaderField, isByPhantom, type Placement, placementName } from './placement.ts';
export type { FlowName, OauthDefinition, Provider } from './provider.ts';
export { foldHeaderName, isReservedHeader } from './reserved-headers.ts';
export { type ConnectionRoutes, placementsFor, placesOf, type Route, type RouteTable } from './route.ts';
export { compileRoutes, routesOf } from './route-table.ts';
