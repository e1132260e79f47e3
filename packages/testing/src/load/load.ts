import { randomUUID } from 'node:crypto';

/** The states in which a recharge of each scenario may end once the fleet is at rest, after any failures. */
export const endStates = {
  ok: ['SUCCEEDED'],
  ok_no_webhook: ['SUCCEEDED'],
  declined: ['FAILED'],
  rejected: ['FAILED'],
  timeout_after_charge: ['SUCCEEDED'],
  timeout_before_charge: ['SUCCEEDED'],
  server_error_then_ok: ['SUCCEEDED'],
  server_error_after_charge: ['SUCCEEDED'],
  rate_limited_then_ok: ['SUCCEEDED'],
  webhook_first: ['SUCCEEDED'],
  webhook_twice: ['SUCCEEDED'],
  webhook_late: ['SUCCEEDED'],
  webhook_out_of_order: ['SUCCEEDED'],
  wrong_amount: ['SUBMITTED', 'PENDING_CONFIRMATION'],
  // If the first webhook is lost, the second one decides, and SUCCEEDED is right.
  success_after_failure: ['FAILED', 'SUCCEEDED'],
  never_settles: ['PENDING_CONFIRMATION'],
} as const satisfies Record<string, readonly string[]>;

export type LoadScenario = keyof typeof endStates;
export const scenarios = Object.keys(endStates) as LoadScenario[];

/** The statuses that the provider's webhooks report per scenario. A repeated webhook is the same event. */
export const announced: Readonly<Record<LoadScenario, readonly string[]>> = {
  ok: ['settled'],
  ok_no_webhook: [],
  declined: ['declined'],
  rejected: [],
  timeout_after_charge: [],
  timeout_before_charge: ['settled'],
  server_error_then_ok: ['settled'],
  server_error_after_charge: [],
  rate_limited_then_ok: ['settled'],
  webhook_first: ['settled'],
  webhook_twice: ['settled'],
  webhook_late: ['settled'],
  webhook_out_of_order: ['settled', 'pending'],
  wrong_amount: ['settled'],
  success_after_failure: ['declined', 'settled'],
  never_settles: [],
};

/** One request of a producer. Each repetition has the same key and the same body. */
export type LoadRequest = Readonly<{
  key: string;
  accountId: string;
  amount: number;
  currency: string;
  paymentMethod: string;
  scenario: LoadScenario;
}>;

export const ask = (scenario: LoadScenario, more: Partial<LoadRequest> = {}): LoadRequest => ({
  key: randomUUID(),
  accountId: 'acct-1',
  amount: 4_999,
  currency: 'USD',
  paymentMethod: 'sandbox',
  scenario,
  ...more,
});

/** A sequence of numbers in [0, 1) that the seed determines (Mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Accounts whose recharges are paid from their balance. `Producer.fund` fills it. */
export const payers = ['payer-1', 'payer-2', 'payer-3'];

/**
 * Recharges of all scenarios on twenty accounts, determined by one seed. Some are paid from the balance of `payers`, so
 * money is also frozen and released.
 */
export function mix(
  seed: number,
  count: number,
  { only = scenarios, paidShare = 0.25 }: { only?: readonly LoadScenario[]; paidShare?: number } = {},
): LoadRequest[] {
  const random = randomOf(seed);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
  return Array.from({ length: count }, (_, n) => {
    // Each scenario comes once first, so a small load has all of them.
    const scenario = n < only.length ? only[n]! : pick(only);
    const key = `seed-${seed}-${n}`;
    const amount = 1 + Math.floor(random() * 10_000);
    if (random() < paidShare)
      return ask(scenario, { key, amount, accountId: pick(payers), paymentMethod: 'balance' });
    const accountId = `acct-${Math.floor(random() * 20)}`;
    return ask(scenario, { key, amount, accountId, currency: pick(['USD', 'CNY', 'JPY', 'KWD']) });
  });
}

export const bodyOf = ({ accountId, amount, currency, paymentMethod, scenario }: LoadRequest): string =>
  JSON.stringify({ accountId, amount, currency, paymentMethod, metadata: { scenario } });
