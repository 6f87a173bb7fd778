/** How much may be under way, and how much a session may hold, alike towards clients and upstreams. */
export const connectionWindowBytes = 4 * 1024 * 1024;
export const streamWindowBytes = 1024 * 1024;
export const maxSessionMegabytes = 64;
