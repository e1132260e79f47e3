import { Prisma } from '../../generated/client.js';

/** The columns of a line of a statement that name an order, as SQL. */
type LineNames = Readonly<Record<'provider' | 'providerAccount' | 'reference' | 'orderId', Prisma.Sql>>;

/**
 * An expression: whether a line names a recharge of ours, by our id or by the provider's, so that another line is its
 * money. Or whether it names an order whose money went to suspense: a case decides about that money, or has decided.
 * Two of our accounts at a provider may have orders with one id. Without an account, the line is taken for one of each.
 */
export const namesOrder = ({
  provider,
  providerAccount,
  reference,
  orderId,
}: LineNames): Prisma.Sql => Prisma.sql`(
  exists (
    select from recharge_transaction named
    where named.provider = ${provider}
      and named.id = case when pg_input_is_valid(${reference}, 'uuid') then ${reference}::uuid end)
  or exists (
    select from recharge_transaction named
    where named.provider = ${provider} and named.provider_order_id = ${orderId}
      and named.provider_account = coalesce(${providerAccount}, named.provider_account))
  or exists (
    -- Materialized: else the plan goes through all cases of recharges, to find the first that fits.
    with holding as materialized (
      select transaction_id
      from reconciliation_case
      where ${orderId} is not null and suspended <> '[]'
        and suspended @> jsonb_build_array(jsonb_build_object('providerOrderId', ${orderId})))
    select
    from holding
    join recharge_transaction named on named.id = holding.transaction_id
    where named.provider = ${provider}
      and named.provider_account = coalesce(${providerAccount}, named.provider_account)))`;
