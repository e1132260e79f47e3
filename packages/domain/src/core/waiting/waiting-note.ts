/**
 * What a recharge waits for that its other columns do not tell. It is left on the row by the claim or the answer that
 * found it, and removed by the next one. Times are ISO 8601.
 */
export type WaitingNote =
  /** Another order of the recharge's lane is under way, or comes before it. */
  | Readonly<{ reason: 'LANE' }>
  /** The account that pays does not hold enough, or its money was not read lately. */
  | Readonly<{ reason: 'SOURCE_FUNDS' }>
  /** A second person has to approve. */
  | Readonly<{ reason: 'APPROVAL' }>
  /** `done` of `needed` searches have found nothing. The next one that counts begins at `notBefore` at the earliest. */
  | Readonly<{ reason: 'PROOF'; done: number; needed: number; notBefore: string }>;
