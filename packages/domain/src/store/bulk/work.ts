import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import { filedAct } from '../operators/file-action.js';
import type { DoneItem, NextBulkItem, TakenBulk } from './bulk.js';

// An item takes some milliseconds. After this time another worker goes on for one that died.
const LEASE = Prisma.sql`interval '15 s'`;

export async function takeBulk(run: Run): Promise<TakenBulk | null> {
  const [taken] = await run<TakenBulk>(Prisma.sql`
    update bulk_verb
    set due_at = now() + ${LEASE}
    where id = (
      select id from bulk_verb where due_at <= now() order by due_at limit 1 for update skip locked)
    returning id, verb, reason, actor, role`);
  return taken ?? null;
}

type NextRow = Readonly<{ position: number | null; subject: string | null; mayAct: boolean }>;

export async function nextItem(run: Run, id: string): Promise<NextBulkItem> {
  const [row] = await run<NextRow>(Prisma.sql`
    with
    item as materialized (
      select position, subject
      from bulk_item
      where bulk_id = ${id}::uuid and outcome is null
      order by position
      limit 1),
    person as materialized (
      select exists (
        select from operator
        join bulk_verb on bulk_verb.actor = operator.name
        where bulk_verb.id = ${id}::uuid and disabled_at is null and operator.role in ('operator', 'admin')) as may_act),
    going_on as (
      update bulk_verb
      set
        status = case
          when not exists (select from item) then 'finished'
          when not may_act then 'stopped'
          else 'running' end,
        due_at = case when may_act and exists (select from item) then now() + ${LEASE} end,
        ended_at = case when not (may_act and exists (select from item)) then now() end
      from person
      where id = ${id}::uuid and status = 'running'
      returning may_act)
    select item.position, item.subject, may_act as "mayAct"
    from going_on
    left join item on true`);
  if (!row?.mayAct || row.position === null || row.subject === null) return 'over';
  return { position: row.position, subject: row.subject };
}

export function fileItem(
  run: Run,
  id: string,
  { bulk, position, subject, outcome, filesAct }: DoneItem,
): Promise<unknown> {
  const { actor, role, verb, reason } = bulk;
  const act = filesAct
    ? Prisma.sql`, ${filedAct({ ...{ id, actor, role, verb, reason, subject }, transactionId: subject })}`
    : Prisma.empty;
  return run(Prisma.sql`
    with
    done as (
      update bulk_item
      set outcome = ${outcome}, done_at = now()
      where bulk_id = ${bulk.id}::uuid and position = ${position}::int and outcome is null
      returning bulk_id)
    ${act}
    select from done`);
}
