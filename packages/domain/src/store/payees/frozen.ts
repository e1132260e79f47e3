import { Prisma } from '../../generated/client.js';

/** The payee of a row of `payee`, in the form in which recharges keep it. Null where there is no row. */
export const payeeAsKept = Prisma.sql`
  case when payee.account_id is not null then jsonb_build_object(
    'provider', payee.provider,
    'providerAccount', payee.provider_account,
    'from', payee.from_account,
    'to', payee.to_account) end`;

/**
 * The lane of a delivery to a kept payee. Null if the provider tells its orders apart, or if there is no payee.
 * @param payee a column with a kept payee
 */
export const laneOf = (payee: Prisma.Sql, lanedProviders: readonly string[]): Prisma.Sql => Prisma.sql`
  case when ${payee} ->> 'provider' = any(${[...lanedProviders]}::text[])
    then concat_ws(
      ':',
      ${payee} ->> 'provider',
      coalesce(${payee} ->> 'from', ${payee} ->> 'providerAccount'),
      ${payee} ->> 'to') end`;

/**
 * The lane of a recall from a kept payee. Money that goes the other way is told apart by its direction, so a recall does
 * not wait for the deliveries between the same two accounts.
 */
export const laneBackOf = (payee: Prisma.Sql, lanedProviders: readonly string[]): Prisma.Sql =>
  Prisma.sql`${laneOf(payee, lanedProviders)} || ':back'`;
