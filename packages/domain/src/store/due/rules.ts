import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import { type Due, type DueSource, inBatches, type Lane, putBackRows } from './source.js';

type RuleLane = Extract<Lane, { what: 'rule' }>;

// A look makes at most one provider call. A rule whose job is lost is due again after this time.
const LOOK_LIMIT_MS = 15_000;

/** Rules whose next look is due: those that act, and those that rest while a version waits for an approval. */
export const dueRules = (run: Run): DueSource<RuleLane> => ({
  lanes: () => [{ what: 'rule' }],
  take: (max) => inBatches(max, (some) => takeRules(run, some)),
  putBack: (ids) => putBackRows(run, 'recharge_rule', ids),
});

async function takeRules(run: Run, max: number): Promise<Due[]> {
  const rows = await run<{ id: string }>(Prisma.sql`
    with due as materialized (
      select id
      from recharge_rule
      where due_at <= now()
      order by due_at
      limit ${max}::int
      for update skip locked)
    update recharge_rule rule
    set due_at = now() + ${LOOK_LIMIT_MS}::int * interval '1 ms'
    from due
    where rule.id = due.id
    returning rule.id`);
  return rows.map((row) => ({ what: 'rule' as const, ...row }));
}
