/**
 * The pages that a browser sees while somebody signs in: their HTML, styles and script. Pure: values in, text out.
 */
export { icon, script, styleSheet } from './assets.ts';
export {
  apiKeyFormPage,
  clientFormPage,
  connectedPage,
  failedPage,
  sessionGonePage,
  stateMismatchPage,
  waitingPage,
} from './sign-in.ts';
