import { AuthsomeError } from '../../errors.ts';
import type { Tenants } from '../../principals/index.ts';
import type { Routes } from '../app.ts';
import { explainDocument, logDocument } from '../documents.ts';
import { longestWaitMs, wholeNumber } from '../query.ts';

const defaultLimit = 50;
const longestLimit = 1000;

/** Calls about what happened, as far as the caller may see it. */
export function auditRoutes(tenants: Tenants): Routes {
  return (app) => {
    app.get('/v1/audit', async (context) => {
      const { audit } = await tenants.of(context.get('caller'));
      const {
        limit: limitText,
        after: afterText,
        before: beforeText,
        wait_ms: waitText,
        strangers: strangersText,
      } = context.req.query();
      const limit = wholeNumber(limitText, 'limit', defaultLimit, longestLimit);
      const strangers = strangersText === '1';
      const waitMs = wholeNumber(waitText, 'wait_ms', 0, longestWaitMs);
      const events =
        afterText === undefined
          ? await audit.recent({
              limit,
              strangers,
              before: wholeNumber(beforeText, 'before', Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
            })
          : await audit.next(
              { limit, strangers, after: wholeNumber(afterText, 'after', 0, Number.MAX_SAFE_INTEGER) },
              waitMs,
            );
      return context.json(logDocument(events));
    });
    app.get('/v1/decisions/:id', async (context) => {
      const { audit } = await tenants.of(context.get('caller'));
      const id = context.req.param('id');
      const decision = await audit.decision(id);
      if (decision === undefined) {
        const what =
          id === 'last' ? 'there is no decision about a run of yours yet' : 'this decision does not exist';
        throw new AuthsomeError('DecisionNotFound', what);
      }
      return context.json(explainDocument(decision, await audit.sequel(decision)));
    });
  };
}
