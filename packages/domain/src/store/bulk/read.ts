import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import { isUuid } from '../database/storable.js';
import type { BulkItem, BulkSum, BulkView } from './bulk.js';

const bulkColumns = Prisma.sql`
  bulk.id, bulk.verb, bulk.filter, bulk.is_cut as "isCut", bulk.reason, bulk.actor, bulk.role, bulk.status,
  bulk.created_at as "createdAt", bulk.ended_at as "endedAt",
  (select count(*)::int from bulk_item item where item.bulk_id = bulk.id) as items,
  (select count(*)::int from bulk_item item where item.bulk_id = bulk.id and outcome is not null) as done`;

export async function bulkById(
  read: Run,
  id: string,
): Promise<Readonly<{ bulk: BulkView; sums: readonly BulkSum[] }> | null> {
  if (!isUuid(id)) return null;
  const [bulk] = await read<BulkView>(
    Prisma.sql`select ${bulkColumns} from bulk_verb bulk where id = ${id}::uuid`,
  );
  if (!bulk) return null;
  const sums = await read<BulkSum>(Prisma.sql`
    select currency, count(*)::int as items, sum(amount_minor)::bigint as "amountMinor"
    from bulk_item
    where bulk_id = ${id}::uuid
    group by currency
    order by currency nulls last`);
  return { bulk, sums };
}

export const itemsOf = async (read: Run, id: string): Promise<BulkItem[]> =>
  isUuid(id)
    ? read<BulkItem>(Prisma.sql`
        select position, subject, amount_minor as "amountMinor", currency, outcome, done_at as "doneAt"
        from bulk_item
        where bulk_id = ${id}::uuid
        order by position`)
    : [];

export const listBulks = (read: Run, beforeId: string | null, limit: number): Promise<BulkView[]> =>
  read<BulkView>(Prisma.sql`
    select ${bulkColumns}
    from bulk_verb bulk
    where ${beforeId !== null && isUuid(beforeId) ? Prisma.sql`id < ${beforeId}::uuid` : Prisma.sql`true`}
    order by id desc
    limit ${limit}::int`);
