import type { AuditEvent, EventFilter, RecordedEvent } from './event.ts';
import type { ObservedTrail } from './observed-trail.ts';
import { isByStranger } from './strangers.ts';

/** The audit trail as one principal writes and reads it. */
export type AuditView = Pick<ObservedTrail, 'append' | 'recent' | 'next' | 'decision' | 'sequel'>;

export interface ViewOptions {
  /** The principal whose view it is. */
  readonly principal: string;
  /** The first principal's events are recorded without its name, and so are those of the daemon itself. */
  readonly isFirst: boolean;
  readonly seesAll: boolean;
}

const pageSize = 500;

/**
 * A view of the trail. It adds the principal's name to what is appended, and reads only that principal's events, unless it
 * sees all. Lists leave out what strangers caused, unless it is asked for: anybody can cause as much of it as they like.
 * The last decision is that of a run of the principal's own.
 */
export function viewOf(trail: ObservedTrail, { principal, isFirst, seesAll }: ViewOptions): AuditView {
  const append = isFirst
    ? (event: AuditEvent) => trail.append(event)
    : (event: AuditEvent) => trail.append({ ...event, principal });
  const own = isFirst ? undefined : principal;
  const isVisible = (event: RecordedEvent): boolean => seesAll || event.principal === own;
  /** Of a run that this principal started: a principal that sees all asks for its own last decision, too. */
  const isOfOwnRun = (event: RecordedEvent): boolean => event.principal === own && !isByStranger(event);
  const all = seesAll ? trail : filtered(trail, isVisible);
  const known = filtered(trail, (event) => isVisible(event) && !isByStranger(event));
  const readerFor = ({ strangers }: EventFilter) => (strangers === true ? all : known);
  return {
    append,
    recent: (filter) => readerFor(filter).recent(filter),
    next: (filter, timeoutMs) => readerFor(filter).next(filter, timeoutMs),
    decision: (id) => trail.decision(id, id === 'last' ? isOfOwnRun : isVisible),
    sequel: (decision) => trail.sequel(decision),
  };
}

/** Reads page by page, since only a page's events tell whose they are. */
function filtered(
  trail: ObservedTrail,
  isOwn: (event: RecordedEvent) => boolean,
): Pick<AuditView, 'recent' | 'next'> {
  const first = async (limit: number, after: number): Promise<readonly RecordedEvent[]> => {
    const found: RecordedEvent[] = [];
    for (let reached = after; found.length < limit; ) {
      const page = await trail.recent({ limit: pageSize, after: reached });
      const last = page.at(-1);
      if (last === undefined) break;
      found.push(...page.filter(isOwn));
      reached = last.sequence;
    }
    return found.slice(0, limit);
  };

  const newest = async (
    limit: number,
    before = Number.MAX_SAFE_INTEGER,
  ): Promise<readonly RecordedEvent[]> => {
    const pages: (readonly RecordedEvent[])[] = [];
    let count = 0;
    for (let below = before; count < limit; ) {
      const page = await trail.recent({ limit: pageSize, before: below });
      const [oldest] = page;
      if (oldest === undefined) break;
      const wanted = page.filter(isOwn);
      pages.push(wanted);
      count += wanted.length;
      below = oldest.sequence;
    }
    const found = pages.reverse().flat();
    return found.slice(Math.max(0, found.length - limit));
  };

  return {
    recent: ({ limit, after, before }) => (after === undefined ? newest(limit, before) : first(limit, after)),
    async next({ limit, after = 0 }, timeoutMs) {
      const deadline = performance.now() + timeoutMs;
      for (let reached = after; ; ) {
        const page = await trail.next(
          { limit: pageSize, after: reached },
          Math.max(0, deadline - performance.now()),
        );
        const own = page.filter(isOwn);
        const last = page.at(-1);
        if (own.length > 0 || last === undefined) return own.slice(0, limit);
        reached = last.sequence;
      }
    },
  };
}
