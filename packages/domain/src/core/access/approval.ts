/** Limits per currency, in minor units. An amount strictly above its limit needs a second person. */
export type ApprovalLimits = Readonly<Record<string, bigint>>;

/** Whether an amount needs an approval by the limits of the key that asks, or of the payee that gets the money. */
export const needsApproval = (
  keyLimits: ApprovalLimits,
  payeeLimits: ApprovalLimits,
  amountMinor: bigint,
  currency: string,
): boolean =>
  [keyLimits, payeeLimits].some(
    (limits) => Object.hasOwn(limits, currency) && amountMinor > limits[currency]!,
  );

export type ApprovalStatus = 'pending' | 'approved' | 'refused' | 'expired';

/** Limits as JSON holds them: the amounts are text, because a JSON number is not exact beyond 2^53. */
export const limitsFromJson = (stored: unknown): ApprovalLimits =>
  Object.fromEntries(
    Object.entries(stored as Readonly<Record<string, string>>).map(([currency, minor]) => [
      currency,
      BigInt(minor),
    ]),
  );

export const limitsInJson = (limits: ApprovalLimits): Record<string, string> =>
  Object.fromEntries(Object.entries(limits).map(([currency, minor]) => [currency, String(minor)]));
