import { expect, it } from 'vitest';
import type { AuditEvent } from './event.ts';
import { Strangers } from './strangers.ts';

it('makes one event of all that strangers cause in a while', () => {
  const events: AuditEvent[] = [];
  const strangers = new Strangers({ append: (event) => events.push(event), windowMs: 3_600_000 });
  for (let count = 0; count < 500; count += 1) strangers.note('other-user');
  expect(events).toEqual([]);
  strangers.flush();
  strangers.flush();
  expect(events).toEqual([
    {
      event: 'strangers.refused',
      outcome: 'PeerNotAllowed',
      count: 500,
      detail: '500 requests by other users of this machine, or by programs that left at once',
    },
  ]);
});
