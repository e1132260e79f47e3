import type { CapLimits } from './rule-caps.js';

/** The modes of a rule. `propose` asks a person first. */
export const ruleModes = ['notify', 'propose', 'execute'] as const;
export type RuleMode = (typeof ruleModes)[number];

/**
 * The figure of a balance that a rule compares: all that the account can spend, or its cash alone. Credit and vouchers are
 * not cash.
 */
export const balanceFigures = ['available', 'cash'] as const;
export type BalanceFigure = (typeof balanceFigures)[number];

/** A span of the day in a time zone, `22:00` to `06:00`. The end is not part of it. */
export type QuietHours = Readonly<{ from: string; to: string }>;

/**
 * The most that a rule may create. A day is the last 24 hours, a month is the calendar month of the time zone. A number
 * of times that is null has no limit.
 */
export type RuleCaps = CapLimits &
  Readonly<{ perRechargeMinor: bigint; perDayMinor: bigint; perMonthMinor: bigint }>;

/** What a client agrees to when it makes a rule. Amounts are minor units of the rule's currency. */
export type RuleTerms = Readonly<{
  balance: BalanceFigure;
  /** The rule acts on a balance that is less than this. An equal balance is enough. */
  belowMinor: bigint;
  recharge: Readonly<{ amountMinor: bigint }> | Readonly<{ upToMinor: bigint }>;
  caps: RuleCaps;
  /** The shortest time between the creations of two recharges. */
  cooldownSeconds: number;
  /** The largest amount of the first recharge to a payee. The rest follows once it has arrived. Null: no such limit. */
  canaryMinor: bigint | null;
  /** The rule also acts when the balance would be used up within this many days. Null: only the threshold counts. */
  runwayDays: number | null;
  mode: RuleMode;
  quietHours: QuietHours | null;
  /** IANA name of the zone of quiet hours and months. */
  timeZone: string;
  expiresAt: Date | null;
  /** If the balance did not fall for this many days, the rule recharges nothing. Null: the rule has no such limit. */
  dormantAfterDays: number | null;
}>;

export type RuleFault = Readonly<{ field: string; message: string }>;

/** Whether terms can work. A rule that could never reach its threshold would recharge without end. */
export function faultsOfTerms(terms: RuleTerms, now: Date): RuleFault[] {
  const { belowMinor, recharge, caps, quietHours, timeZone, expiresAt } = terms;
  const faults: RuleFault[] = [];
  const fault = (field: string, message: string): unknown => faults.push({ field, message });
  if ('upToMinor' in recharge) {
    if (recharge.upToMinor <= belowMinor) fault('recharge.upTo', 'must be more than `below`');
  } else {
    if (recharge.amountMinor < belowMinor)
      fault('recharge.amount', 'must be at least `below`, so that one recharge fills an empty account');
    if (recharge.amountMinor > caps.perRechargeMinor)
      fault('caps.perRecharge', 'is less than `recharge.amount`, so the rule could never recharge');
  }
  if (!isTimeZone(timeZone)) fault('timeZone', 'must be a time zone such as Asia/Shanghai');
  if (quietHours !== null && quietHours.from === quietHours.to)
    fault('quietHours', 'must not begin when they end');
  if (expiresAt !== null && expiresAt <= now) fault('expiresAt', 'must be in the future');
  return faults;
}

export function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/** Terms in the form in which JSON holds them. */
export type StoredTerms = Readonly<Record<string, unknown>>;

export const termsToStore = (terms: RuleTerms): StoredTerms => JSON.parse(JSON.stringify(terms, storedField));

/**
 * The defaults of fields that were added later. A field with its default is not stored, so that terms from before the
 * field existed keep their hash.
 */
const usualOfNewer = new Map<string, unknown>([
  ['timesPerMonth', null],
  ['canaryMinor', null],
  ['balance', 'available'],
]);

const storedField = (name: string, value: unknown): unknown =>
  usualOfNewer.has(name) && usualOfNewer.get(name) === value
    ? undefined
    : typeof value === 'bigint'
      ? String(value)
      : value;

export function termsFromStore(stored: StoredTerms): RuleTerms {
  const given = stored as Record<string, never> & {
    recharge: Record<string, string>;
    caps: Record<string, never>;
  };
  const { amountMinor, upToMinor } = given.recharge;
  return {
    ...(given as unknown as RuleTerms),
    balance: given.balance ?? 'available',
    belowMinor: BigInt(given.belowMinor!),
    recharge:
      upToMinor === undefined ? { amountMinor: BigInt(amountMinor!) } : { upToMinor: BigInt(upToMinor) },
    caps: {
      perRechargeMinor: BigInt(given.caps.perRechargeMinor!),
      perDayMinor: BigInt(given.caps.perDayMinor!),
      perMonthMinor: BigInt(given.caps.perMonthMinor!),
      timesPerDay: given.caps.timesPerDay ?? null,
      timesPerMonth: given.caps.timesPerMonth ?? null,
    },
    canaryMinor: given.canaryMinor == null ? null : BigInt(given.canaryMinor),
    expiresAt: given.expiresAt ? new Date(given.expiresAt) : null,
  };
}
