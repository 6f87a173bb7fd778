/**
 * What a request carries after its head, on its way out: its content and its WebSocket messages, searched for phantoms, and
 * the secret in the place that is meant for it. For both versions of HTTP, without sockets.
 */
export { bodyPlacesAt } from './body-places.ts';
export { ContentSearch, isSearched, maxSearchedBytes, refusalOfContent } from './content-search.ts';
export { extensionsField, isWebSocket, refusalOfMessage, searchedFrames } from './messages.ts';
export { type ReadContent, readContent } from './read-content.ts';
