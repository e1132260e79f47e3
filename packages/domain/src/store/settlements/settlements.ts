import type { Kind } from '../../core/money/postings.js';
import { directionOf } from '../../core/money/postings.js';
import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import { codeOf } from '../database/failure.js';
import { UNKNOWN_TIME_ZONE } from '../months/time-zone.js';

/** One transaction whose money moved. */
export type Settlement = Readonly<{
  id: string;
  settledAt: Date;
  createdAt: Date;
  kind: Kind;
  clientId: string;
  clientName: string | null;
  accountId: string;
  /** Above zero: the money came in through the provider. Below zero: it went out. */
  amountMinor: bigint;
  currency: string;
  paymentMethod: string;
  provider: string;
  providerAccount: string;
  providerOrderId: string | null;
  externalReference: string | null;
  orderReference: string | null;
  /** The recharge that was paid back. */
  refundOf: string | null;
  /** The collection whose money was delivered. */
  collectedBy: string | null;
}>;

/** A calendar day in a time zone. */
export type SettlementDay = Readonly<{
  from: Date;
  to: Date;
  isAhead: boolean;
  /** The settlements of all accounts, in the order of time, in batches. */
  rows: () => AsyncIterable<readonly Settlement[]>;
}>;

export interface Settlements {
  /** @param day such as `2026-11-21`. Null if the database does not know the time zone. */
  ofDay(day: string, timeZone: string): Promise<SettlementDay | null>;
}

// A row touches about nine buffers.
const ROWS_PER_READ = 200;

export const openSettlements = (run: Run): Settlements => ({
  ofDay: async (day, timeZone) => {
    const bounds = await boundsOf(run, day, timeZone);
    return bounds && { ...bounds, rows: () => settlementsOf(run, bounds) };
  },
});

type DayBounds = Omit<SettlementDay, 'rows'>;

async function boundsOf(run: Run, day: string, timeZone: string): Promise<DayBounds | null> {
  try {
    const [bounds] = await run<DayBounds>(Prisma.sql`
      select
        ${day}::timestamp at time zone ${timeZone} as "from",
        (${day}::timestamp + interval '1 day') at time zone ${timeZone} as "to",
        ${day}::timestamp at time zone ${timeZone} > now() as "isAhead"`);
    return bounds!;
  } catch (error) {
    if (codeOf(error) === UNKNOWN_TIME_ZONE) return null;
    throw error;
  }
}

type SettlementPlace = Readonly<{ settledAt: Date; id: string }>;

const LOWEST_ID = '00000000-0000-0000-0000-000000000000';

async function* settlementsOf(
  run: Run,
  { from, to }: { from: Date; to: Date },
): AsyncGenerator<Settlement[]> {
  let after: SettlementPlace = { settledAt: from, id: LOWEST_ID };
  for (;;) {
    const rows = await run<Settlement>(pageBehind(after, to));
    if (rows.length > 0) yield rows.map(signed);
    if (rows.length < ROWS_PER_READ) return;
    after = rows.at(-1)!;
  }
}

const signed = (row: Settlement): Settlement =>
  directionOf[row.kind] === 'in' ? row : { ...row, amountMinor: -row.amountMinor };

const pageBehind = (after: SettlementPlace, to: Date): Prisma.Sql => Prisma.sql`
  select
    recharge.id,
    recharge.succeeded_at as "settledAt",
    recharge.created_at as "createdAt",
    recharge.kind,
    recharge.client_id as "clientId",
    client.name as "clientName",
    recharge.account_id as "accountId",
    recharge.amount_minor as "amountMinor",
    recharge.currency,
    recharge.payment_method as "paymentMethod",
    recharge.provider,
    recharge.provider_account as "providerAccount",
    recharge.provider_order_id as "providerOrderId",
    recharge.external_reference as "externalReference",
    recharge.order_reference as "orderReference",
    recharge.refund_of as "refundOf",
    recharge.collected_by as "collectedBy"
  from (
    select *
    from recharge_transaction
    where succeeded_at is not null
      and (succeeded_at, id) > (${after.settledAt.toISOString()}::timestamptz, ${after.id}::uuid)
      and succeeded_at < ${to.toISOString()}::timestamptz
    order by succeeded_at, id
    limit ${Prisma.raw(String(ROWS_PER_READ))}) recharge
  left join client on client.id = recharge.client_id
  order by recharge.succeeded_at, recharge.id`;
