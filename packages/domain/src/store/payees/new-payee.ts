import { Prisma } from '../../generated/client.js';

/** Whether no delivery for an account has arrived at its `payee`, a row of `payee` or none. Without a payee: it is not so. */
export const isNewPayeeOf = (accountId: Prisma.Sql): Prisma.Sql => Prisma.sql`
  select payee.account_id is not null and not exists (
    select
    from recharge_transaction arrived
    where arrived.account_id collate "C" = ${accountId}
      and arrived.kind = 'deliver' and arrived.state = 'SUCCEEDED'
      and arrived.payee ->> 'provider' = payee.provider
      and arrived.payee ->> 'to' = payee.to_account)`;
