/**
 * Requests of programs that sign in by themselves. Their whole exchange is read here, since the answer must not reach the
 * program as the service sent it.
 */
export { type CaptureUse, captureUse, mostRequestBytes } from './capture-use.ts';
