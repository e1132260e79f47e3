import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import { type Due, type DueSource, inBatches, type Lane, putBackRows, type SweepTimes } from './source.js';

type EventLane = Extract<Lane, { what: 'event' }>;

/**
 * Stored webhook events that are not processed. The gap until an event is due again is a quarter of its age, at least
 * `afterMs` and at most 64 times that.
 */
export const dueEvents = (run: Run, { afterMs }: SweepTimes): DueSource<EventLane> => ({
  lanes: () => [{ what: 'event' }],
  take: (max) => inBatches(max, (some) => takeEvents(run, some, afterMs)),
  putBack: (ids) => putBackRows(run, 'webhook_event', ids),
});

async function takeEvents(run: Run, max: number, afterMs: number): Promise<Due[]> {
  const rows = await run<{ id: string }>(Prisma.sql`
    with due as materialized (
      select id
      from webhook_event
      where due_at <= now()
      order by due_at
      limit ${max}::int
      for update skip locked)
    update webhook_event e
    set due_at = now() + (0.75 + random() / 2) * least(
      greatest((now() - e.stored_at) / 4, ${afterMs}::int * interval '1 ms'),
      ${afterMs}::int * interval '64 ms')
    from due
    where e.id = due.id
    returning e.id`);
  return rows.map((row) => ({ what: 'event' as const, ...row }));
}
