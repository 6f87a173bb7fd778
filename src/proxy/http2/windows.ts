/** The flow-control windows and memory limit of a session, for clients and upstreams alike. */
export const connectionWindowBytes = 4 * 1024 * 1024;
export const streamWindowBytes = 1024 * 1024;
export const maxSessionMegabytes = 64;
