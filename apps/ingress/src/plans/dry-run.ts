import type { SortingProviders } from '@replenish/assembly';
import { canaryRefusals, rechargeOfLine, refusalOf } from '@replenish/assembly';
import {
  type Domain,
  type Key,
  linesWithoutCanary,
  needsApproval,
  type RechargeAsk,
} from '@replenish/domain';
import { newId } from '@replenish/runtime';
import { checkNames } from '../recharges/dry-run.js';
import { foreignLines, overBudget, type SentPlan } from './read-plan.js';

type PlanTrialDeps = Readonly<{ domain: Pick<Domain, 'plans'>; providers: SortingProviders }>;

type RefusedPlanLine = Readonly<{ line: number; check: string; detail: string }>;

const REFUSED_MAX = 1_000;

/**
 * What would become of a plan whose lines are well formed, if it was started now. The lines are judged in their order:
 * if the balance pays for one of two lines, the second is refused.
 */
export async function tryOutPlan({ domain, providers }: PlanTrialDeps, key: Key, plan: SentPlan) {
  const { currency, totalMinor, lines } = plan;
  const refused = await refusedLines({ domain, providers }, key, plan);
  const ofKey = Object.keys(key.ceilings);
  const isOtherCurrency = ofKey.length > 0 && !ofKey.includes(currency);
  const budget = overBudget(plan);
  const checks = [
    { name: 'budget', ok: budget === null, detail: budget ?? 'the lines are within the budget' },
    {
      name: 'key_currency',
      ok: !isOtherCurrency,
      detail: isOtherCurrency ? `the key has no ceiling for ${currency}` : 'the key may use the currency',
    },
    ...['account', ...Object.values(checkNames), ...(plan.canaryMinor === null ? [] : ['canary'])].map(
      (name) => checkOf(name, refused, lines.length),
    ),
  ];
  return {
    wouldBe: checks.every(({ ok }) => ok) ? 'accepted' : 'refused',
    ...{ lines: lines.length, total: totalMinor, currency },
    checks,
    refused: refused.slice(0, REFUSED_MAX),
    approval: needsApproval(key.approvalAbove, {}, totalMinor, currency),
  };
}

async function refusedLines(
  { domain, providers }: PlanTrialDeps,
  key: Key,
  plan: SentPlan,
): Promise<RefusedPlanLine[]> {
  const { currency, lines } = plan;
  const foreign = foreignLines(key, plan).map(
    ({ index }): RefusedPlanLine => ({
      line: lines[index!]!.line,
      check: 'account',
      detail: 'the key does not cover this account',
    }),
  );
  const asks = lines.flatMap((line): { line: number; ask: RechargeAsk }[] => {
    const taken = { id: newId(), clientId: key.clientId, currency, correlationId: '' };
    const ask = rechargeOfLine({ providers, newId }, { plan: taken, key }, line);
    return 'code' in ask ? [] : [{ line: line.line, ask }];
  });
  const problems = await domain.plans.try(
    asks.map(({ ask }) => ask),
    key.ceilings[currency],
  );
  return [
    ...foreign,
    ...(await withoutCanary(domain, plan)),
    ...asks.flatMap(({ line, ask }): RefusedPlanLine[] => {
      const problem = problems.get(ask.id);
      return problem ? [{ line, check: checkNames[problem], detail: refusalOf[problem].message }] : [];
    }),
  ].sort((a, b) => a.line - b.line);
}

/** The lines to new payees of accounts that have no line as small as the canary. */
async function withoutCanary(
  { plans }: PlanTrialDeps['domain'],
  { lines, canaryMinor, currency }: SentPlan,
): Promise<RefusedPlanLine[]> {
  if (canaryMinor === null) return [];
  const newPayees = await plans.newPayees([...new Set(lines.map(({ accountId }) => accountId))], currency);
  return linesWithoutCanary(lines, canaryMinor, newPayees).map(({ line }) => ({
    ...{ line, check: 'canary', detail: canaryRefusals.missing.message },
  }));
}

function checkOf(name: string, refused: readonly RefusedPlanLine[], lines: number) {
  const failed = refused.filter(({ check }) => check === name).length;
  const detail = failed === 0 ? 'no line fails' : `${failed} of ${lines} lines would be refused`;
  return { name, ok: failed === 0, detail };
}
