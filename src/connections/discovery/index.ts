/**
 * Where a provider's endpoints are: in its definition, or found from an issuer, a resource or a URL that a person typed.
 */
export { discoveredProvider, isServiceUrl, rediscoveredProvider } from './discovered-provider.ts';
export {
  type Endpoints,
  fetchOf,
  fetchTo,
  findEndpoints,
  patientFetchTo,
  pushEndpoint,
} from './endpoints.ts';
