type Rule = Readonly<{
  meaning: string;
  /** Events within this time are added up. */
  windowMs: number;
  /** The number of events in a window that raises the alarm. */
  max: number;
  /** `origin`: per key and address. `key`: per key, over all addresses. `client`: per client, over all its keys. */
  countedBy: 'origin' | 'key' | 'client';
  /** The time for which an alarm locks the key at the address. 0: the alarm locks nothing and only informs people. */
  lockMs: number;
  /** The reason for the number, and for or against a lock. */
  reason: string;
}>;

const MINUTE_MS = 60_000;

/**
 * The rules about events that an honest caller rarely causes. Events are added up over all processes.
 *
 * Only guesses at a secret lock a key, and only at the address that they come from. A key's id is no secret, so a lock
 * at all addresses would let any stranger stop the owner of the key. A mistake of an authenticated caller never causes
 * the refusal of its next recharge.
 */
export const securityRules = {
  bad_signature: {
    meaning: 'a secret or a signature that does not fit the key, at one address',
    ...within(5, 100),
    countedBy: 'origin',
    lockMs: 15 * MINUTE_MS,
    reason:
      'A loop with an old secret tries less often. The lock outlasts the window, so counting starts anew after it.',
  },
  guessing: {
    meaning: 'the same at all addresses together',
    ...within(5, 1_000),
    countedBy: 'key',
    lockMs: 0,
    reason:
      'A secret has 256 bits: many addresses find it no sooner than one, and a lock would only hit the owner.',
  },
  replayed_nonce: {
    meaning: 'a signed request sent again',
    ...within(5, 200),
    countedBy: 'origin',
    lockMs: 0,
    reason:
      'Each copy is refused by its nonce already, and a client that repeats without signing anew is honest.',
  },
  foreign_account: {
    meaning: 'a call for an account that the key does not cover',
    ...within(10, 100),
    countedBy: 'key',
    lockMs: 0,
    reason: 'The caller is authenticated. A wrong pattern in a loop does this too.',
  },
  missing_scope: {
    meaning: 'a call that the key has no scope for',
    ...within(10, 100),
    countedBy: 'key',
    lockMs: 0,
    reason: 'The caller is authenticated. A program that polls a route without its scope does this all day.',
  },
  unknown_recharge: {
    meaning: 'an id of no recharge of its own',
    ...within(10, 200),
    countedBy: 'key',
    lockMs: 0,
    reason:
      'Ids have 74 random bits, so guessing finds none; a poll of an id of another environment does this too.',
  },
  bad_certificate: {
    meaning: 'a right secret without the client certificate',
    ...within(5, 20),
    countedBy: 'origin',
    lockMs: 0,
    reason:
      'The secret may be stolen, so people must look. The missing certificate already refuses the thief.',
  },
  velocity: {
    meaning: 'ten times as many recharges as the client usually makes',
    ...within(5, 1),
    countedBy: 'client',
    lockMs: 0,
    reason: 'A sale looks the same, and a lock would stop it.',
  },
  amount: {
    meaning: "twenty times the client's usual large amount",
    ...within(5, 1),
    countedBy: 'client',
    lockMs: 0,
    reason: 'As for velocity. Ceilings of a key bound amounts.',
  },
} as const satisfies Record<string, Rule>;

export type SecurityRule = keyof typeof securityRules;

function within(minutes: number, max: number): { windowMs: number; max: number } {
  return { windowMs: minutes * MINUTE_MS, max };
}
