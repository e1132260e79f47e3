import { Prisma } from '../../generated/client.js';

/** How recharges are approved, as it is configured. */
export type Approving = Readonly<{
  /** The time after which an approval expires. */
  expiresMs: number;
  /** Whether the first recharge to each payee needs an approval, whatever its amount. */
  approvesFirst: boolean;
}>;

/**
 * Whether a recharge of the relation `input` needs an approval, by the limit of its key or of its `payee`. The pure form
 * is `needsApproval`, and a test holds the two equal.
 */
export const isApprovalNeeded = (approvesFirst: boolean): Prisma.Sql => Prisma.sql`
      coalesce(input."amountMinor" > input."approvalAboveMinor", false)
        or coalesce(input."amountMinor" > (payee.approval_above ->> input.currency)::bigint, false)
        ${approvesFirst ? isFirstOfPayee : Prisma.empty}`;

const isFirstOfPayee = Prisma.sql`
        or payee.account_id is not null and not exists (
          select
          from recharge_transaction earlier
          where earlier.account_id = input."accountId"
            and earlier.payee ->> 'provider' = payee.provider
            and earlier.payee ->> 'to' = payee.to_account
            and earlier.state = 'SUCCEEDED')`;

/**
 * The values of next_step, due_at, version and waiting of a new recharge. A recharge that needs an approval begins with
 * another version than all others, so a claim that assumes a new recharge does not match it.
 */
export const firstStep = (hintLimitMs: number, { expiresMs }: Approving): Prisma.Sql => Prisma.sql`
      case when "isApprovalNeeded" then 'approve' else 'submit' end,
      now() + case when "isApprovalNeeded" then ${expiresMs}::float8 else ${hintLimitMs}::float8 end * interval '1 ms',
      "isApprovalNeeded"::int,
      case when "isApprovalNeeded" then jsonb_build_object('reason', 'APPROVAL', 'since', now()) end`;
