import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { asAuthsomeError, statusOf } from '../../../errors.ts';
import type { FailureLog } from '../../app.ts';
import { failedPage, otherBrowserPage, stateMismatchPage, unknownSessionPage } from '../../pages/index.ts';
import { sentence } from './sentence.ts';

/** The page for whatever a page's handler threw. */
export function failurePage(context: Context, failures: FailureLog, thrown: unknown): Response {
  const error = asAuthsomeError(thrown);
  if (error.code === 'Unexpected') failures.unexpected('a page failed unexpectedly', thrown);
  return context.html(pageFor(error), statusOf(error.code) as ContentfulStatusCode);
}

function pageFor(error: ReturnType<typeof asAuthsomeError>): string {
  if (error.code === 'StateMismatch') return stateMismatchPage();
  if (error.code === 'SessionNotFound') return unknownSessionPage();
  if (error.code === 'OpenedElsewhere') return otherBrowserPage(sentence(error.message), error.hint);
  return failedPage({
    kind: 'bad',
    heading: 'Something went wrong',
    cause: sentence(error.message),
    hint: error.hint,
    settingsUrl: undefined,
  });
}
