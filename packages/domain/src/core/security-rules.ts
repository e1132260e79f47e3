type Rule = Readonly<{
  meaning: string;
  /** Events within this time are added up. */
  windowMs: number;
  /** So many of them in a window are no accident. */
  max: number;
  /** How long the key is locked then; 0: people are told, and the key goes on. */
  lockMs: number;
}>;

const MINUTE_MS = 60_000;

/**
 * What no honest caller does often, counted by key over all processes. Often means more than a clock that is off or a
 * loop that repeats itself does in good faith: whoever knows a key's id could otherwise lock its owner out with a handful
 * of calls, and a secret of 256 bits is not found in hundreds. A lock outlasts its window, so that a key that
 * comes back starts from nothing. Odd sums and odd haste only raise the alarm: a sale is odd too, and a lock would
 * stop it.
 */
export const securityRules = {
  bad_signature: rule('a secret or a signature that does not fit the key', 5, 100, 15),
  replayed_nonce: rule('a signed request sent again', 5, 200, 15),
  foreign_account: rule('an account that the key does not cover', 10, 100, 15),
  missing_scope: rule('a call that the key has no scope for', 10, 100, 15),
  unknown_recharge: rule('an id of no recharge of its own: somebody may be guessing', 10, 200, 15),
  velocity: rule('ten times as many recharges as the client usually makes', 5, 1, 0),
  amount: rule("twenty times the client's usual large amount", 5, 1, 0),
} as const satisfies Record<string, Rule>;

export type SecurityRule = keyof typeof securityRules;

function rule(meaning: string, windowMinutes: number, max: number, lockMinutes: number): Rule {
  return { meaning, windowMs: windowMinutes * MINUTE_MS, max, lockMs: lockMinutes * MINUTE_MS };
}
