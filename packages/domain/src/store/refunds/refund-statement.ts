import { BALANCE_MINOR_MAX } from '../../core/money/money.js';
import { holdOf } from '../../core/money/postings.js';
import { Prisma } from '../../generated/client.js';
import { columns } from '../database/rows.js';
import { postedJournals } from '../ledger/post.js';
import { insertedRefunds } from '../recharges/creation/insert-recharges.js';
import type { NewRefund, RefundedTerms } from './new-refund.js';

export type RefundFate =
  | 'stored'
  | 'invalid_state'
  | 'too_many_refunds'
  | 'nothing_left'
  | 'above_original'
  | 'insufficient_balance'
  | 'beyond_balance';

export type RefundOptions = Readonly<{
  hintLimitMs: number;
  lanedProviders: readonly string[];
  newId: () => string;
}>;

/** The most refunds of one recharge that have not failed. So the sum of a recharge's refunds is a short look-up. */
export const REFUNDS_MAX = 1_000;

const askColumns = columns({
  id: 'uuid',
  clientId: 'uuid',
  idempotencyKey: 'text',
  fingerprint: 'text',
  of: 'uuid',
  amountMinor: 'bigint?',
  reason: 'text',
  correlationId: 'text',
});

/**
 * Stores a refund with its request and the hold of its amount, or tells why not. A refused refund stores nothing.
 *
 * The refunded recharge stays locked until the commit, so the refunds of one recharge are judged one after the other. It
 * is locked before the wallet, as in the statement that settles recharges, and the wallet before the key, as in the one
 * that creates them. If the key belongs to another request, nothing is stored although the fate says so.
 */
export const refundStatement = (
  refund: NewRefund & Readonly<{ fingerprint: string }>,
  terms: RefundedTerms,
  options: RefundOptions,
): Prisma.Sql => Prisma.sql`
  with
  asked as ${askColumns.from([refund])},
  original as materialized (
    select * from lock_for_refund(${refund.of}::uuid)),
  ${lockedWallet(terms)},
  ${judged(terms)},
  accepted as (
    select * from judged where fate = 'stored'),
  ${insertedRefunds(options)}
  ${terms.isHeld ? Prisma.sql`, ${toPost(terms, options)}, ${postedJournals}` : Prisma.empty}
  select fate from judged`;

const available = ({ accountId, currency }: RefundedTerms): Prisma.Sql => Prisma.sql`
  wallet.name = 'wallet:' || ${accountId}::text || ':available' and wallet.currency = ${currency}`;

/** A refund of a delivery takes nothing from the wallet, so it does not lock the wallet. */
const lockedWallet = (terms: RefundedTerms): Prisma.Sql => Prisma.sql`
  locked_wallet as materialized (
    select wallet.balance_minor
    from ledger_account wallet
    -- The recharge is counted, so that it is locked before its wallet.
    where ${available(terms)} and (select count(*) from original) >= 0
    ${terms.isHeld ? Prisma.sql`for update` : Prisma.empty})`;

const judged = ({ isHeld }: RefundedTerms): Prisma.Sql => Prisma.sql`
  judged as materialized (
    select asked.*, refunded.amount, null::text as currency, null::text as funding, case
        when original.state <> 'SUCCEEDED' or original.kind not in ('collect', 'deliver') then 'invalid_state'
        when refunded.amount > original.left_minor then 'above_original'
        when original.left_minor <= 0 then 'nothing_left'
        when original.refunds >= ${REFUNDS_MAX}::int then 'too_many_refunds'
        when ${isHeld ? Prisma.sql`refunded.amount > balance.minor` : Prisma.sql`false`} then 'insufficient_balance'
        when ${isHeld ? Prisma.sql`false` : Prisma.sql`balance.minor > ${BALANCE_MINOR_MAX}::bigint - refunded.amount`}
          then 'beyond_balance'
        else 'stored' end as fate
    from asked
    cross join original
    cross join lateral (select coalesce(asked."amountMinor", original.left_minor) as amount) refunded
    cross join (select coalesce((select balance_minor from locked_wallet), 0) as minor) balance)`;

const toPost = ({ accountId, currency }: RefundedTerms, { newId }: RefundOptions): Prisma.Sql => {
  const { slot, postings } = holdOf({ accountId, money: { amountMinor: 0n, currency } });
  const [{ debit, credit }] = postings as [(typeof postings)[number]];
  return Prisma.sql`
  to_post as materialized (
    select
      ${newId()}::uuid as journal_id,
      id as transaction_id,
      ${slot}::text as slot,
      1 as ord,
      ${debit}::text as debit,
      ${credit}::text as credit,
      amount_minor as amount,
      currency
    from inserted_refunds)`;
};
