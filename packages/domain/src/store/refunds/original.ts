import { Prisma } from '../../generated/client.js';

/** The order at the provider that a refund or a recall pays back. */
export type OriginalOrder = Readonly<{
  id: string;
  /** The provider's id of the order. Null: the provider never told it. */
  providerOrderId: string | null;
}>;

/**
 * An expression: the order that the refund `id` of the recharge `refundOf` pays back. It is the order of that recharge,
 * or the one whose money went to suspense. Null for a recharge that is no refund.
 */
export const originalOf = (id: Prisma.Sql, refundOf: Prisma.Sql): Prisma.Sql => Prisma.sql`(
    select jsonb_build_object('id', original.id, 'providerOrderId', coalesce((
        select returned.suspended -> 0 ->> 'providerOrderId'
        from reconciliation_case returned
        where returned.returned_by = ${id}), original.provider_order_id))
    from recharge_transaction original
    where original.id = ${refundOf})`;

/** An expression: what paid the recharge whose money the refund `recharge` returns from suspense. */
export const returnedFunding = Prisma.sql`case when recharge.funding = 'suspense' then (
        select original.funding from recharge_transaction original where original.id = recharge.refund_of) end`;
