/** Whose recharges a wider cap counts: those of one client's rules, those that one account pays, or those of all rules. */
export const capScopes = ['owner', 'source', 'fleet'] as const;
export type CapScope = (typeof capScopes)[number];

/** Null: no limit. A day is the last 24 hours. */
export type CapLimits = Readonly<{
  perDayMinor: bigint | null;
  perMonthMinor: bigint | null;
  timesPerDay: number | null;
  timesPerMonth: number | null;
}>;

export type CapName = keyof CapLimits;

/** What was created in the windows of a cap. Recharges that failed count, too. */
export type WindowUse = Readonly<{
  dayMinor: bigint;
  timesInDay: number;
  /** When the oldest recharge of the day stops counting. Null: there is none. */
  dayFreeAt: Date | null;
  monthMinor: bigint;
  timesInMonth: number;
}>;

/** A cap over the rules of a scope, in the currency of the rule. Its months are calendar months of UTC. */
export type WiderCap = Readonly<{ scope: CapScope; limits: CapLimits; used: WindowUse }>;

/** The limits of all scopes, per currency. */
export type WiderLimits = Readonly<Partial<Record<CapScope, Readonly<Record<string, CapLimits>>>>>;

const NOTHING: CapLimits = { perDayMinor: 0n, perMonthMinor: null, timesPerDay: null, timesPerMonth: null };

/** The scopes that have caps, with their limits in a currency. A scope with caps lets other currencies create nothing. */
export function limitsOf(wider: WiderLimits, currency: string): Omit<WiderCap, 'used'>[] {
  return capScopes.flatMap((scope) => {
    const { [scope]: limits } = wider;
    if (!limits) return [];
    return [{ scope, limits: Object.hasOwn(limits, currency) ? limits[currency]! : NOTHING }];
  });
}

export const capReasons = ['CAP_REACHED', 'OWNER_CAP', 'SOURCE_CAP', 'FLEET_CAP'] as const;
export type CapReason = (typeof capReasons)[number];

export const isCapReason = (reason: string): reason is CapReason =>
  (capReasons as readonly string[]).includes(reason);

export const reasonOfScope: Readonly<Record<CapScope, Exclude<CapReason, 'CAP_REACHED'>>> = {
  owner: 'OWNER_CAP',
  source: 'SOURCE_CAP',
  fleet: 'FLEET_CAP',
};

/** What one limit of a cap leaves. */
export type CapRoom = Readonly<{
  leftMinor: bigint;
  cap: CapName;
  because: CapReason;
  /** When the limit leaves more. Null: nobody knows. */
  until: Date | null;
}>;

/** What the limits of a cap leave. A number of times leaves all or nothing. */
export function roomsOf(
  limits: CapLimits,
  used: WindowUse,
  { because, monthEndsAt }: Readonly<{ because: CapReason; monthEndsAt: Date }>,
): CapRoom[] {
  const money = (cap: CapName, limit: bigint | null, spent: bigint, until: Date | null): CapRoom[] =>
    limit === null ? [] : [{ leftMinor: limit - spent, cap, because, until }];
  const times = (cap: CapName, limit: number | null, made: number, until: Date | null): CapRoom[] =>
    limit === null || made < limit ? [] : [{ leftMinor: 0n, cap, because, until }];
  return [
    ...times('timesPerDay', limits.timesPerDay, used.timesInDay, used.dayFreeAt),
    ...times('timesPerMonth', limits.timesPerMonth, used.timesInMonth, monthEndsAt),
    ...money('perDayMinor', limits.perDayMinor, used.dayMinor, used.dayFreeAt),
    ...money('perMonthMinor', limits.perMonthMinor, used.monthMinor, monthEndsAt),
  ];
}
