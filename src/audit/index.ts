/**
 * The audit trail: a closed union of events and an append-only, hash-chained table that keeps them.
 */
export type {
  AnswerFailedEvent,
  AuditEvent,
  AuditTrail,
  Candidate,
  DecisionEvent,
  EventFilter,
  RecordedEvent,
  Sequel,
} from './event.ts';
export { type ObservedTrail, observeTrail } from './observed-trail.ts';
export { openAuditTrail } from './trail.ts';
