/**
 * The audit trail: a closed union of events and an append-only, hash-chained table that keeps them.
 */
export type { ArchiveOptions } from './archive.ts';
export type {
  AuditEvent,
  AuditTrail,
  Candidate,
  DecisionEvent,
  EventFilter,
  RecordedEvent,
} from './event.ts';
export { auditMigrations } from './migrations.ts';
export { type AuditTrailOptions, openAuditTrail } from './trail.ts';
