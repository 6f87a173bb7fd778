/**
 * The pages of a sign-in: their HTML, styles and script. Pure: values in, text out.
 */

export { apiKeyFormPage } from './api-key-form.ts';
export { icon, script, styleSheet } from './assets.ts';
export { clientFormPage } from './client-form.ts';
export { connectedPage } from './connected.ts';
export { continuePage } from './continue.ts';
export {
  cancelledPage,
  failedPage,
  otherBrowserPage,
  stateMismatchPage,
  unknownSessionPage,
} from './failed.ts';
export { waitingPage } from './waiting.ts';
