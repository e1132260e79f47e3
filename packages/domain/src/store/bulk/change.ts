import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import { columns } from '../database/rows.js';
import { isUuid, storable } from '../database/storable.js';
import type { Actor } from '../operators/file-action.js';
import { BULK_MAX, type NewBulk } from './bulk.js';

const itemColumns = columns({ position: 'int', subject: 'uuid', amountMinor: 'bigint?', currency: 'text?' });

export async function createBulk(
  run: Run,
  id: string,
  { verb, filter, isCut, reason, items }: NewBulk,
  { actor, role }: Actor,
): Promise<string> {
  if (items.length > BULK_MAX) throw new Error(`a bulk verb has ${BULK_MAX} items at most`);
  const rows = items.map((item, position) => ({ ...item, position }));
  await run(Prisma.sql`
    with
    made as (
      insert into bulk_verb (id, verb, filter, is_cut, reason, actor, role)
      values (
        ${id}::uuid, ${verb}, ${storable(filter, 1_000)}, ${isCut}::boolean, ${storable(reason, 300)}, ${actor}, ${role})
      returning id)
    insert into bulk_item (bulk_id, position, subject, amount_minor, currency)
    select made.id, item.position, item.subject, item."amountMinor", item.currency
    from made, ${itemColumns.from(rows)} item`);
  return id;
}

export async function moveBulk(
  run: Run,
  id: string,
  move: Readonly<{ to: 'running'; by: Actor }> | Readonly<{ to: 'stopped' }>,
): Promise<boolean> {
  if (!isUuid(id)) return false;
  const moved = await run(
    move.to === 'running'
      ? Prisma.sql`
          update bulk_verb
          set status = 'running', due_at = now(), actor = ${move.by.actor}, role = ${move.by.role}
          where id = ${id}::uuid and status = 'draft'
          returning id`
      : Prisma.sql`
          update bulk_verb
          set status = 'stopped', due_at = null, ended_at = now()
          where id = ${id}::uuid and status in ('draft', 'running')
          returning id`,
  );
  return moved.length > 0;
}
