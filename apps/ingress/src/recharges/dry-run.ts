import type { Domain, Trial, TrialProblem } from '@replenish/domain';
import type { z } from 'zod';
import { ceilingOf, requireAccount } from '../auth/refusals.js';
import { Problem } from '../http/answers/problem.js';
import type { KeyedCall } from '../http/operation.js';
import type { DryRun } from './dry-run-schema.js';
import type { RechargeInput } from './input.js';
import { askOf, type IntakeDeps, type KeyedRequest, problemOf, sortOf } from './intake.js';

export type DryRunDeps = Pick<IntakeDeps, 'providers' | 'targets'> &
  Readonly<{ domain: Pick<Domain, 'tryRecharge'> }>;

type DryRunCheck = DryRunFields['checks'][number];

type Exact<Row> = { [Name in keyof Row]: Row[Name] extends number ? number | bigint : Row[Name] };
type DryRunFields = z.infer<typeof DryRun>;

/** The answer. Its amounts are exact bigints. */
export type DryRunBody = Omit<DryRunFields, 'postings' | 'balancesAfter'> &
  Readonly<{
    postings: Exact<DryRunFields['postings'][number]>[];
    balancesAfter: Exact<DryRunFields['balancesAfter'][number]>[];
  }>;

/**
 * What would become of the request, as JSON. Business refusals are checks that fail. The checks are the ones of the
 * intake. The idempotency key and the account's rate limit are not looked at.
 */
export async function dryRun(
  deps: DryRunDeps,
  call: Pick<KeyedCall<never, z.infer<typeof RechargeInput>>, 'key' | 'response' | 'body'>,
): Promise<DryRunBody> {
  const parsed = call.body();
  if (parsed.callbackUrl !== undefined) await deps.targets.require(parsed.callbackUrl, 'callbackUrl');
  const request: KeyedRequest = { parsed, amountMinor: parsed.amount, idempotencyKey: '' };
  const account = attempt('account', 'the key covers the account', () =>
    requireAccount(call.key, parsed.accountId),
  );
  const route = attempt('route', 'the payment method leads to a provider or to a payee', () =>
    sortOf(deps, parsed),
  );
  const currency = attempt('key_currency', 'the key may use the currency', () =>
    ceilingOf(call.key, parsed.currency),
  );
  const atTheDoor = [account.check, route.check, currency.check];
  if (!account.check.ok || !currency.check.ok || !route.value) return bodyOf(atTheDoor, null);
  const ask = askOf(call, request, { sort: route.value, ceiling: currency.value });
  const trial = await deps.domain.tryRecharge(ask);
  const judged = trial.checks.map(({ problem, ok }) => ({
    name: checkNames[problem],
    ok,
    detail: ok ? passedWords[problem] : problemOf[problem](parsed).message,
  }));
  return bodyOf([...atTheDoor, ...judged], trial);
}

/** Makes a check that refuses by throwing a problem. */
function attempt<Value>(
  name: string,
  passed: string,
  check: () => Value,
): { check: DryRunCheck; value?: Value } {
  try {
    return { value: check(), check: { name, ok: true, detail: passed } };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { check: { name, ok: false, detail: error.message } };
  }
}

export const checkNames = {
  above_ceiling: 'ceiling',
  no_payee: 'payee',
  other_currency: 'payee_currency',
  insufficient_balance: 'balance',
  beyond_balance: 'largest_balance',
} as const satisfies Record<TrialProblem, string>;

const passedWords: Record<TrialProblem, string> = {
  above_ceiling: 'the amount is within the ceilings of the key',
  no_payee: 'the account has a payee',
  other_currency: 'the payee of the account takes the currency',
  insufficient_balance: "the account's available balance covers the amount",
  beyond_balance: 'the balance of the account can hold the amount',
};

const bodyOf = (checks: DryRunCheck[], trial: Trial | null): DryRunBody => ({
  wouldBe: checks.every(({ ok }) => ok) ? 'accepted' : 'refused',
  checks,
  postings: (trial?.journals ?? []).flatMap(({ slot, postings }) =>
    postings.map(({ debit, credit, money }) => ({
      slot,
      debit,
      credit,
      amount: money.amountMinor,
      currency: money.currency,
    })),
  ),
  balancesAfter: trial ? [balanceBody(trial.balanceAfter)] : [],
  approval: trial?.isApprovalNeeded ?? false,
});

const balanceBody = ({ currency, availableMinor, frozenMinor }: Trial['balanceAfter']) => ({
  currency,
  available: availableMinor,
  frozen: frozenMinor,
  total: availableMinor + frozenMinor,
});
