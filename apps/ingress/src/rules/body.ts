import {
  type BackTest,
  type CapReason,
  type FiledDecision,
  isCapReason,
  type RulePreview,
  type RuleView,
  type Widening,
} from '@replenish/domain';

/** `quietHours` name their time zone, as in the request. */
export function ruleBody(rule: RuleView) {
  const { terms, recharge: way, forecast, lastDecision, consent } = rule;
  const { caps, recharge } = terms;
  return {
    ruleId: rule.id,
    accountId: rule.accountId,
    currency: rule.currency,
    watch: rule.watch,
    balance: terms.balance,
    below: terms.belowMinor,
    recharge: 'upToMinor' in recharge ? { upTo: recharge.upToMinor } : { amount: recharge.amountMinor },
    paymentMethod: way.paymentMethod,
    destination: way.destination,
    caps: {
      perRecharge: caps.perRechargeMinor,
      perDay: caps.perDayMinor,
      perMonth: caps.perMonthMinor,
      timesPerDay: caps.timesPerDay,
      timesPerMonth: caps.timesPerMonth,
    },
    cooldownSeconds: terms.cooldownSeconds,
    canary: terms.canaryMinor,
    runwayDays: terms.runwayDays,
    mode: terms.mode,
    quietHours: terms.quietHours && { ...terms.quietHours, timeZone: terms.timeZone },
    timeZone: terms.timeZone,
    expiresAt: terms.expiresAt,
    dormantAfterDays: terms.dormantAfterDays,
    metadata: way.metadata,
    status: rule.status,
    pausedBecause: rule.pausedBecause ?? heldByCap(rule),
    waiting: waitingBody(rule),
    isStopped: rule.isStopped,
    consent: { ...consent },
    inDay: { ...rule.inDay },
    lastDecision: lastDecision && decisionBody(lastDecision),
    forecast: forecastBody(forecast),
    createdAt: rule.createdAt,
    updatedAt: rule.updatedAt,
  };
}

/** The version that waits for a second person, with a sentence for people. */
function waitingBody({ status, waiting }: RuleView) {
  if (waiting === null) return null;
  const { approvalId, since, until, widens } = waiting;
  const goesOn = status === 'active' ? 'until then the rule goes on as it is' : 'until then it does not act';
  const what =
    widens.length === 0 ? 'the rule' : `more than is agreed (${widens.map(wideningText).join('; ')})`;
  const detail = `a second person has to approve ${what}; ${goesOn}`;
  return { reason: 'APPROVAL', approvalId, since, until, detail, widens };
}

const wideningText = ({ field, before, after }: Widening): string =>
  `${field}: ${after ?? 'none'} instead of ${before ?? 'none'}`;

/** What would become of a request for a rule, and what it would have done. */
export function ruleTrialBody(
  { problem, balanceMinor, next, isApprovalNeeded }: RulePreview,
  tested: BackTest,
  faultOfFigure: string | null,
) {
  return {
    wouldBe: problem === null && faultOfFigure === null ? 'accepted' : 'refused',
    checks: [
      {
        name: 'payee',
        ok: problem === null,
        detail: problem === null ? 'the money has a place to go to' : trialFaults[problem],
      },
      {
        name: 'balance',
        ok: faultOfFigure === null,
        detail: faultOfFigure ?? 'the figure that is compared is told',
      },
    ],
    next: next?.decided ?? null,
    because: next?.because ?? null,
    amount: next?.amountMinor ?? null,
    approval: isApprovalNeeded,
    balance: balanceMinor,
    backTest: {
      from: tested.from,
      to: tested.to,
      balances: tested.balances,
      looks: tested.looks,
      recharges: tested.recharges.map(({ at, balanceMinor: balance, amountMinor: amount, because }) => ({
        ...{ at, balance, amount, because },
      })),
      total: tested.totalMinor,
      heldBack: Object.entries(tested.heldBack).map(([because, times]) => ({ because, times })),
      paused: tested.paused,
      lowest: tested.lowestMinor,
      lowestWithout: tested.lowestWithoutMinor,
      note: tested.balances < 2 ? 'not enough history: no balances are stored' : BACK_TEST_NOTE,
    },
  };
}

const BACK_TEST_NOTE =
  'each recharge is taken to arrive at once; recharges that were really made are part of the stored balances';

const trialFaults = {
  no_payee: 'the account has no payee: set one with PUT /v1/accounts/{accountId}/payee',
  other_currency: 'the payee of the account takes another currency',
} as const;

/** An active rule whose cap is reached goes on by itself in the next window. */
const heldByCap = ({ status, lastDecision }: RuleView): CapReason | null =>
  status === 'active' && lastDecision !== null && isCapReason(lastDecision.because)
    ? lastDecision.because
    : null;

function forecastBody({ balanceMinor, asOf, burnPerDayMinor, runsOutAt }: RuleView['forecast']) {
  const note =
    balanceMinor === null
      ? 'the balance was not read yet'
      : burnPerDayMinor === null
        ? 'not enough history: a day of balances is needed'
        : 'without this rule, at the rate of the last days; recharges and refunds are taken out';
  return { balance: balanceMinor, asOf, burnPerDay: burnPerDayMinor, runsOutAt, note };
}

const amounts = ['available', 'cash', 'below', 'underWay', 'spentInDay', 'spentInMonth', 'burnPerDay'];

/**
 * The numbers of a decision are kept as texts where they are amounts. Those of wider caps are not shown, because they tell
 * what other clients spend.
 */
export function decisionBody(decision: FiledDecision) {
  const { seq, at, balanceMinor, decided, because, amountMinor, transactionId, numbers } = decision;
  const shown = Object.fromEntries(
    Object.entries(numbers)
      .filter(([name]) => name !== 'wider')
      .map(([name, value]) => [
        name,
        amounts.includes(name) && typeof value === 'string' ? BigInt(value) : value,
      ]),
  );
  return {
    seq,
    at,
    balance: balanceMinor,
    decided,
    because,
    amount: amountMinor,
    transactionId,
    numbers: shown,
  };
}
