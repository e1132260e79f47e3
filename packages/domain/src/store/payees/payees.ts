import { type ApprovalLimits, limitsFromJson, limitsInJson } from '../../core/access/approval.js';
import type { AccountPayee } from '../../core/payee.js';
import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';

export type KeptPayee = AccountPayee & Readonly<{ updatedAt: Date; approvalAbove: ApprovalLimits }>;

/** Where the money of accounts is delivered. An account has at most one payee. */
export interface Payees {
  of(accountId: string): Promise<KeptPayee | null>;
  /**
   * Sets the payee of an account. Recharges under way keep the payee that they were made with.
   * @param setBy the key or the person that sets it
   */
  set(payee: AccountPayee & { approvalAbove?: ApprovalLimits }, setBy: string): Promise<KeptPayee>;
  /** Returns false if the account has no payee. */
  remove(accountId: string): Promise<boolean>;
}

const keptColumns = Prisma.raw(`
  account_id as "accountId",
  provider,
  provider_account as "providerAccount",
  from_account as "from",
  to_account as "to",
  currency,
  approval_above as "approvalAbove",
  updated_at as "updatedAt"`);

export const openPayees = (run: Run): Payees => ({
  of: async (accountId) => {
    const [kept] = await run<KeptPayee>(
      Prisma.sql`select ${keptColumns} from payee where account_id = ${accountId}`,
    );
    return kept ? withLimits(kept) : null;
  },
  set: async (payee, setBy) => {
    const [kept] = await run<KeptPayee>(setStatement(payee, setBy));
    return withLimits(kept!);
  },
  remove: async (accountId) => {
    const removed = await run(
      Prisma.sql`delete from payee where account_id = ${accountId} returning account_id`,
    );
    return removed.length > 0;
  },
});

const withLimits = (kept: KeptPayee): KeptPayee => ({
  ...kept,
  approvalAbove: limitsFromJson(kept.approvalAbove),
});

/** A payee that is set again unchanged keeps its time and the one who set it. */
const setStatement = (
  p: AccountPayee & { approvalAbove?: ApprovalLimits },
  setBy: string,
): Prisma.Sql => Prisma.sql`
  insert into payee as kept (
    account_id,
    provider,
    provider_account,
    from_account,
    to_account,
    currency,
    approval_above,
    set_by)
  values (
    ${p.accountId},
    ${p.provider},
    ${p.providerAccount},
    ${p.from},
    ${p.to},
    ${p.currency},
    ${JSON.stringify(limitsInJson(p.approvalAbove ?? {}))}::jsonb,
    ${setBy})
  on conflict (account_id) do update set
    provider = excluded.provider,
    provider_account = excluded.provider_account,
    from_account = excluded.from_account,
    to_account = excluded.to_account,
    currency = excluded.currency,
    approval_above = excluded.approval_above,
    set_by = case when ${isSame} then kept.set_by else excluded.set_by end,
    updated_at = case when ${isSame} then kept.updated_at else now() end
  returning ${keptColumns}`;

const isSame = Prisma.raw(`
  (kept.provider, kept.provider_account, kept.from_account, kept.to_account, kept.currency, kept.approval_above)
  is not distinct from
  (excluded.provider, excluded.provider_account, excluded.from_account, excluded.to_account, excluded.currency,
    excluded.approval_above)`);
