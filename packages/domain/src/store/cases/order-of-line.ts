import { Prisma } from '../../generated/client.js';

/** The columns of a line of a statement that name an order, as SQL. */
type LineNames = Readonly<Record<'provider' | 'reference' | 'orderId', Prisma.Sql>>;

/** An expression: whether a line names a recharge of ours, by our id or by the provider's. */
export const namesOrder = ({ provider, reference, orderId }: LineNames): Prisma.Sql => Prisma.sql`(
  exists (
    select from recharge_transaction named
    where named.provider = ${provider}
      and named.id = case when pg_input_is_valid(${reference}, 'uuid') then ${reference}::uuid end)
  or exists (
    select from recharge_transaction named
    where named.provider = ${provider} and named.provider_order_id = ${orderId}))`;
