/**
 * The audit trail: a closed union of events and an append-only, hash-chained table that keeps them.
 */
export type {
  AuditEvent,
  AuditTrail,
  Candidate,
  DecisionEvent,
  EventFilter,
  RecordedEvent,
  ScopesMissingEvent,
} from './event.ts';
export { auditMigrations } from './migrations.ts';
export { openAuditTrail } from './trail.ts';
