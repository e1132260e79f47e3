import { Prisma } from '../../generated/client.js';

/** The order at the provider that a refund or a recall pays back. */
export type OriginalOrder = Readonly<{
  id: string;
  /** Null: the provider never told it. */
  providerOrderId: string | null;
}>;

/** An expression: the order that the recharge with the id `refundOf` sent. Null for a recharge that is no refund. */
export const originalOf = (refundOf: Prisma.Sql): Prisma.Sql => Prisma.sql`(
    select jsonb_build_object('id', original.id, 'providerOrderId', original.provider_order_id)
    from recharge_transaction original
    where original.id = ${refundOf})`;
