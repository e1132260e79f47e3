import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import { isUuid } from '../database/storable.js';

/** Why a recharge was found: the number that the text is. */
export type HitKind =
  | 'transaction'
  | 'case'
  | 'provider_order'
  | 'idempotency_key'
  | 'reference'
  | 'event'
  | 'account';

export type ConsoleHit = Readonly<{ kind: HitKind; transactionId: string | null; caseId: string | null }>;

// Most indexes begin with the client. Each client costs some four buffers per number that is looked up.
const CLIENTS_MAX = 100;
const HITS_MAX = 20;

const HEX_32 = /^[0-9a-f]{32}$/i;

/** Our ids are also written without dashes: some providers take no others. */
const idIn = (text: string): string | null => {
  if (isUuid(text)) return text.toLowerCase();
  if (!HEX_32.test(text)) return null;
  return text.toLowerCase().replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
};

const clients = Prisma.sql`
  (select id from client order by created_at desc limit ${CLIENTS_MAX}::int) client`;

/** Everything that the text names exactly. An amount is no name: `list` finds it. */
export async function findAnything(
  read: Run,
  text: string,
  providers: readonly string[],
): Promise<ConsoleHit[]> {
  const id = idIn(text);
  if (id !== null) {
    const hits = await read<ConsoleHit>(byId(id));
    if (hits.length > 0) return hits;
  }
  const found = await Promise.all([
    read<ConsoleHit>(byNumber(text, providers)),
    read<ConsoleHit>(byKeyOrReference(text)),
    read<ConsoleHit>(byAccount(text)),
  ]);
  return found.flat().slice(0, HITS_MAX);
}

const byId = (id: string): Prisma.Sql => Prisma.sql`
  select 'transaction' as kind, id as "transactionId", null::uuid as "caseId"
  from recharge_transaction
  where id = ${id}::uuid
  union all
  select 'case', transaction_id, id
  from reconciliation_case
  where id = ${id}::uuid`;

const byNumber = (text: string, providers: readonly string[]): Prisma.Sql => Prisma.sql`
  (select 'provider_order' as kind, recharge.id as "transactionId", null::uuid as "caseId"
  from unnest(${[...providers]}::text[]) as known(provider)
  join recharge_transaction recharge
    on recharge.provider = known.provider and recharge.provider_order_id = ${text}
  limit ${HITS_MAX}::int)
  union all
  (select 'event', event.transaction_id, null
  from unnest(${[...providers]}::text[]) as known(provider)
  join webhook_event event on event.provider = known.provider and event.event_id = ${text}
  where event.transaction_id is not null
  limit ${HITS_MAX}::int)`;

const byKeyOrReference = (text: string): Prisma.Sql => Prisma.sql`
  (select 'idempotency_key' as kind, request.transaction_id as "transactionId", null::uuid as "caseId"
  from ${clients}
  join recharge_request request on request.client_id = client.id and request.idempotency_key = ${text}
  limit ${HITS_MAX}::int)
  union all
  (select 'reference', recharge.id, null
  from ${clients}
  join recharge_transaction recharge on recharge.client_id = client.id and recharge.order_reference = ${text}
  limit ${HITS_MAX}::int)`;

/** Finds one recharge of the account, which shows that the account exists. The page of the account lists the others. */
const byAccount = (text: string): Prisma.Sql => Prisma.sql`
  select 'account' as kind, recharge.id as "transactionId", null::uuid as "caseId"
  from ${clients}
  cross join lateral (
    select id
    from recharge_transaction
    where client_id = client.id and account_id collate "C" = ${text}
    limit 1) recharge
  limit 1`;
