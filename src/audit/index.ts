/**
 * The audit trail: a closed union of events, the hash chain that proves their order, the archive that old ones move to,
 * and a way to wait for the next one.
 */
export { type AuditView, viewOf } from './audit-view.ts';
export type {
  AnswerFailedEvent,
  AuditEvent,
  AuditTrail,
  Candidate,
  DecisionEvent,
  EventFilter,
  Origin,
  RecordedEvent,
  Sequel,
} from './event.ts';
export { type ObservedTrail, observeTrail } from './observed-trail.ts';
export { Strangers } from './strangers.ts';
export { openAuditTrail } from './trail.ts';
