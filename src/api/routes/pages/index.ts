/**
 * The routes that a browser opens: the page of a sign-in, the address that providers send people back to, and the
 * files that the pages load.
 */
export { ticketPath } from './page-path.ts';
export { type PageRoutesOptions, pageRoutes } from './page-routes.ts';
