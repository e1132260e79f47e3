import type { NextStep } from '../core/next-step.js';
import { Prisma } from '../generated/client.js';
import type { Run } from './database.js';

/** Something unfinished whose time has come. */
export type Due =
  | Readonly<{ what: 'recharge'; id: string; provider: string; nextStep: NextStep }>
  | Readonly<{ what: 'event'; id: string }>;

/**
 * Takes up to `max` due rows, oldest first, and sets each one's next due time, so that two sweepers never hold the
 * same row and a job that is lost again is found again. The gap doubles with every sweep that brought nothing, up to
 * four times `afterMs`: a backlog that waits behind a slow provider is not hinted again and again, and what waited out
 * an outage does not wait for its hint on top. (Questions that bring nothing grow the gap to 64 times, `gapMs`.) An
 * event waits a quarter as long again as it has waited.
 */
export async function takeDue(run: Run, max: number, afterMs: number): Promise<Due[]> {
  const recharges = await run<{ id: string; provider: string; nextStep: NextStep }>(Prisma.sql`
    with due as materialized (
      select id from recharge_transaction where due_at <= now()
      order by due_at limit ${max}::int for update skip locked)
    update recharge_transaction t set asks = greatest(t.asks, least(t.asks + 1, 2)),
      due_at = now() + ${afterMs}::int * 2 ^ least(t.asks, 2) * (0.75 + random() / 2) * interval '1 ms'
    from due where t.id = due.id
    returning t.id, t.provider, t.next_step as "nextStep"`);
  const events = await run<{ id: string }>(Prisma.sql`
    with due as materialized (
      select id from webhook_event where due_at <= now()
      order by due_at limit ${max}::int for update skip locked)
    update webhook_event e set due_at = now() + (0.75 + random() / 2)
      * least(greatest((now() - e.stored_at) / 4, ${afterMs}::int * interval '1 ms'), ${afterMs}::int * interval '64 ms')
    from due where e.id = due.id
    returning e.id`);
  return [
    ...recharges.map((row) => ({ what: 'recharge' as const, ...row })),
    ...events.map((row) => ({ what: 'event' as const, ...row })),
  ];
}
