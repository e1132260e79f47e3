import { directionOf } from '../../core/money/postings.js';
import { Prisma } from '../../generated/client.js';
import { closedCases } from '../cases/close.js';
import { columns } from '../database/rows.js';
import type { KeyedLine } from './line-key.js';

/** The account at a provider whose statement it is. */
export type StatementOf = Readonly<{ provider: string; providerAccount: string }>;

const lineColumns = columns({
  id: 'uuid',
  key: 'text',
  line: 'text',
  at: 'timestamptz',
  orderId: 'text?',
  reference: 'text?',
  referredId: 'uuid?',
  direction: 'text',
  amountMinor: 'bigint',
  currency: 'text',
  balanceMinor: 'bigint?',
});

const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;

const kindsOf = (direction: 'in' | 'out'): string[] =>
  Object.entries(directionOf).flatMap(([kind, of]) => (of === direction ? [kind] : []));

// A line without any id is matched by amount and time. The provider moves money after the order was made, and its clock
// may differ from ours by some minutes.
const WINDOW = Prisma.sql`interval '1 hour'`;
const CLOCKS_APART = Prisma.sql`interval '10 minutes'`;

/**
 * Stores lines that are not stored yet, and matches those that have no recharge yet: by our reference, by the
 * provider's order id, or, for a line that has neither, by amount and time if only one recharge fits. A recharge has
 * one line, so a second line of one order stays without a match. Cases that asked for such a line or recharge are
 * closed.
 */
export const storedLines = (
  { provider, providerAccount }: StatementOf,
  lines: readonly KeyedLine[],
  newId: () => string,
): Prisma.Sql => {
  const rows = lines.map(({ isOfProvider: _, ...line }) => ({
    ...line,
    id: newId(),
    referredId: line.reference !== null && UUID.test(line.reference) ? line.reference : null,
  }));
  return Prisma.sql`
  with
  input as materialized ${lineColumns.from(rows)},
  ${openLines({ provider, providerAccount })},
  ${matchesOf({ provider, providerAccount })},
  inserted_matches as (
    insert into statement_match (line_id, transaction_id, by)
    select line_id, transaction_id, by
    from matches
    order by transaction_id, line_id
    on conflict do nothing
    returning line_id, transaction_id),
  to_close as (
    select transaction_id::text as subject, 'statement_ours_only' as kind, 'a statement has its line' as resolution
    from inserted_matches
    union all
    select 'statement:' || line_id, 'statement_theirs_only', 'its recharge was found'
    from inserted_matches),
  ${closedCases}
  select
    (select count(*)::int from inserted_lines) as stored,
    (select count(*)::int from inserted_matches) as matched`;
};

/** The stored lines of `input` that have no recharge yet. Lines that are new are stored first. */
const openLines = ({ provider, providerAccount }: StatementOf): Prisma.Sql => Prisma.sql`
  known_lines as (
    select stored.id, stored.line_key as key
    from input
    join statement_line stored on stored.provider = ${provider}
      and stored.provider_account = ${providerAccount}
      and stored.line_key = input.key),
  inserted_lines as (
    insert into statement_line (
      id, provider, provider_account, line_key, line, at, order_id, reference, direction, amount_minor, currency,
      balance_minor)
    select id, ${provider}, ${providerAccount}, key, line, at, "orderId", reference, direction, "amountMinor", currency,
      "balanceMinor"
    from input
    where not exists (select from known_lines known where known.key = input.key)
    on conflict (provider, provider_account, line_key) do nothing
    returning id, line_key as key),
  open_lines as materialized (
    select found.id, input.key, input."referredId", input."orderId", input.direction, input."amountMinor",
      input.currency, input.at
    from input
    join (select * from known_lines union all select * from inserted_lines) found on found.key = input.key
    where not exists (select from statement_match taken where taken.line_id = found.id))`;

/** The recharge of each open line. */
function matchesOf({ provider, providerAccount }: StatementOf): Prisma.Sql {
  const isOf = Prisma.sql`recharge.provider = ${provider} and recharge.provider_account = ${providerAccount}
        and recharge.kind = any(case input.direction
          when 'in' then ${kindsOf('in')}::text[]
          else ${kindsOf('out')}::text[] end)`;
  return Prisma.sql`
  matches as (
    select input.id as line_id, coalesce(referred.id, ordered.id, timed.id) as transaction_id,
      case when referred.id is not null then 'reference' when ordered.id is not null then 'order_id'
        else 'amount_and_time' end as by
    from open_lines input
    left join lateral (
      select recharge.id
      from recharge_transaction recharge
      where recharge.id = input."referredId" and ${isOf}) referred on true
    left join lateral (
      select recharge.id
      from recharge_transaction recharge
      where referred.id is null and recharge.provider_order_id = input."orderId" and ${isOf}
      limit 1) ordered on true
    left join lateral (
      select (array_agg(recharge.id))[1] as id
      from recharge_transaction recharge
      where input."referredId" is null and input."orderId" is null
        and recharge.id >= uuid_from(input.at - ${WINDOW}) and recharge.id < uuid_from(input.at + ${CLOCKS_APART})
        and recharge.amount_minor = input."amountMinor" and recharge.currency = input.currency and ${isOf}
        and not exists (select from statement_match taken where taken.transaction_id = recharge.id)
      having count(*) = 1) timed on true
    where coalesce(referred.id, ordered.id, timed.id) is not null)`;
}

/** Matches a line with the recharge that it was adopted as. */
export const adoptedMatch = (lineId: string, transactionId: string): Prisma.Sql => Prisma.sql`
  insert into statement_match (line_id, transaction_id, by)
  values (${lineId}::uuid, ${transactionId}::uuid, 'adopted')`;
