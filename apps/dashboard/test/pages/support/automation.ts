import type { NewRule } from '@replenish/domain';
import { newId } from '@replenish/runtime';
import { execute } from '@replenish/testing';
import { CLIENT, type ServedConsole } from './console.js';

/** The key that the rules of the tests belong to. */
export const RULE_KEY = 'rk_test_rules';

export const addRuleKey = ({ databaseUrl }: ServedConsole): Promise<unknown> =>
  execute(
    databaseUrl,
    `insert into api_key (id, client_id, secret_hash, scopes, accounts)
      values ('${RULE_KEY}', '${CLIENT}', '\\x00', '{rules:write}', '{*}')`,
  );

/** A rule of `RULE_KEY` that recharges a wallet below 10 USD up to 50 USD. Returns its id. */
export async function createRule({ domain }: ServedConsole, over: Partial<NewRule> = {}): Promise<string> {
  const created = await domain.rules.create({
    ...{ id: newId(), clientId: CLIENT, keyId: RULE_KEY, actor: 'shop', idempotencyKey: null },
    ...{ accountId: 'acct-rule', currency: 'USD', watch: 'wallet' },
    terms: {
      balance: 'available',
      belowMinor: 1_000n,
      recharge: { upToMinor: 5_000n },
      caps: {
        perRechargeMinor: 5_000n,
        perDayMinor: 20_000n,
        perMonthMinor: 100_000n,
        timesPerDay: null,
        timesPerMonth: null,
      },
      ...{
        cooldownSeconds: 0,
        canaryMinor: null,
        runwayDays: null,
        mode: 'execute',
        quietHours: null,
        timeZone: 'UTC',
      },
      ...{ expiresAt: null, dormantAfterDays: null },
    },
    recharge: {
      ...{ kind: 'collect', funding: 'wallet', paymentMethod: 'sandbox', destination: 'wallet' },
      metadata: {},
    },
    ...over,
  });
  if (!created.ok) throw new Error(created.problem);
  return created.rule.id;
}

/** A plan of this many lines that runs. Returns its id. */
export async function createPlan(
  { domain: { plans } }: ServedConsole,
  {
    lines,
    accountId = 'acct-1',
    name = newId(),
    providerAccount = null,
  }: Readonly<{ lines: number; accountId?: string; name?: string; providerAccount?: string | null }>,
): Promise<string> {
  const id = newId();
  await plans.create({
    ...{ id, clientId: CLIENT, idempotencyKey: null, name, currency: 'USD', correlationId: 'c' },
    ...{ totalMinor: BigInt(lines), budgetMinor: null, canaryMinor: null, createdBy: 'operator' },
    lines: Array.from({ length: lines }, (_, at) => ({
      ...{ line: at + 1, accountId, amountMinor: 1n, paymentMethod: 'sandbox' },
      ...{ providerAccount, destination: null, orderReference: `ref-${at + 1}.` },
    })),
  });
  await plans.move({ planId: id, verb: 'start', by: 'operator' });
  return id;
}
