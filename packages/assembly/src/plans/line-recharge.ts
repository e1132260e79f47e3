import type { Created, Key, PlanLine, RechargeAsk, TakenPlan } from '@replenish/domain';
import { covers, keyOfPlanLine } from '@replenish/domain/rules';
import { type SortingProviders, sortOfRecharge } from '../recharges/recharge-sort.js';

/** Why a line gets no recharge, in the words of the API. */
export type LineRefusal = Readonly<{ code: string; message: string }>;

type LineDeps = Readonly<{ providers: SortingProviders; newId: () => string }>;

/**
 * The recharge of a line, or why it gets none. `key` bounds its account and its amount. Null: an operator started the
 * plan, and nothing bounds it.
 */
export function rechargeOfLine(
  { providers, newId }: LineDeps,
  {
    plan,
    key,
  }: Readonly<{ plan: Pick<TakenPlan, 'id' | 'clientId' | 'currency' | 'correlationId'>; key: Key | null }>,
  line: PlanLine,
): RechargeAsk | LineRefusal {
  if (key && !key.accounts.some((pattern) => covers(pattern, line.accountId)))
    return { code: 'UNAUTHORIZED', message: 'the key does not cover this account' };
  const ceilings = Object.keys(key?.ceilings ?? {});
  if (ceilings.length > 0 && !ceilings.includes(plan.currency))
    return {
      code: 'UNAUTHORIZED',
      message: `the key has no ceiling for ${plan.currency}, so it may not use it`,
    };
  const sort = sortOfRecharge(providers, line);
  if ('message' in sort) return { code: 'INVALID_ARGUMENT', message: `${sort.path}: ${sort.message}` };
  return {
    ...{ id: newId(), clientId: plan.clientId, idempotencyKey: keyOfPlanLine(plan.id, line.line) },
    ...{ accountId: line.accountId, amountMinor: line.amountMinor, currency: plan.currency },
    ...{ paymentMethod: line.paymentMethod, destination: line.destination, ...sort },
    ...(line.providerAccount !== null && { askedAccount: line.providerAccount }),
    ...{ orderReference: line.orderReference, planId: plan.id, metadata: {}, requestedAt: null },
    ...{ correlationId: plan.correlationId, ceiling: key?.ceilings[plan.currency] },
  };
}

/** Why nothing but a canary goes to a new payee. */
export const canaryRefusals: Readonly<Record<'failed' | 'missing', LineRefusal>> = {
  failed: {
    code: 'CANARY_FAILED',
    message:
      'the small line of the account is over and nothing has arrived at the payee, so nothing more is sent',
  },
  missing: {
    code: 'CANARY_MISSING',
    message: 'the payee is new, and the account has no line of at most the canary of the plan',
  },
};

type RefusedLine = Exclude<Extract<Created, { ok: false }>['problem'], 'payee_changed' | 'plan_stopped'>;

/**
 * The refusals of the create, as the API words them. A line whose payee has changed is not refused but judged again. A
 * line whose plan was stopped is not refused either: it gets its recharge when the plan runs again.
 */
export const refusalOf: Readonly<Record<RefusedLine, LineRefusal>> = {
  insufficient_balance: {
    code: 'INSUFFICIENT_BALANCE',
    message: "the account's available balance does not cover the amount",
  },
  beyond_balance: {
    code: 'INVALID_ARGUMENT',
    message: 'amount: is more than the balance of the account can hold beside what is there',
  },
  no_payee: { code: 'INVALID_ARGUMENT', message: 'the account has no payee' },
  other_currency: {
    code: 'INVALID_ARGUMENT',
    message: 'currency: is not the currency of the payee of the account',
  },
  above_ceiling: { code: 'UNAUTHORIZED', message: 'the amount is above what this key may ask for' },
  key_used_with_other_body: {
    code: 'INTERNAL_ERROR',
    message: 'another recharge has the key of this line',
  },
};
