import type { Delay } from './timing.js';

/** The answer to a submit call that creates no order. */
export type Refusal = 'rejected' | 'not_refundable' | 'silence' | 'unavailable' | 'rate_limited';

/** The answer to the submit call that creates the order. */
export type FirstAnswer = 'order' | 'silence' | 'internal_error' | 'order_after_webhook';

/** A later event of an order. `after` counts from the event before it. */
export type ScenarioEvent = Readonly<{
  after: Delay;
  becomes?: 'settled' | 'declined';
  /** Minor units that are added to the ordered amount when the order settles. */
  amountOff?: 1;
  /**
   * The status that a webhook reports. Two events with the same status send the same webhook: same webhook-id, same
   * body.
   */
  webhook?: 'pending' | 'settled' | 'declined';
}>;

export type Scenario = Readonly<{
  does: string;
  /** The first `times` submits of a reference create no order and get this answer. */
  refuses?: Readonly<{ times: number; answer: Refusal }>;
  /** The status in which the order is created. */
  madeAs: 'pending' | 'settled';
  answers: FirstAnswer;
  events: readonly ScenarioEvent[];
}>;

const settles: ScenarioEvent = { after: 'settlement', becomes: 'settled', webhook: 'settled' };
const ok = { madeAs: 'pending', answers: 'order', events: [settles] } as const;

/** Every scenario: the answers to submit calls, and the events afterwards. */
export const scenarios = {
  ok: { ...ok, does: 'accepts, confirms by webhook a moment later' },
  ok_no_webhook: {
    ...ok,
    does: 'accepts, settles, never sends the webhook',
    events: [{ after: 'settlement', becomes: 'settled' }],
  },
  declined: {
    ...ok,
    does: 'accepts, then a webhook says declined (insufficient funds): one order, no charge',
    events: [{ after: 'settlement', becomes: 'declined', webhook: 'declined' }],
  },
  rejected: {
    ...ok,
    does: 'refuses every submit at once with 422 invalid_parameter: no order',
    refuses: { times: Number.POSITIVE_INFINITY, answer: 'rejected' },
  },
  timeout_after_charge: {
    does: 'makes the order, settles it, holds the call open and never answers it; no webhook',
    madeAs: 'settled',
    answers: 'silence',
    events: [],
  },
  timeout_before_charge: {
    ...ok,
    does: 'the first submit of a reference is held open and makes no order; later ones work like ok',
    refuses: { times: 1, answer: 'silence' },
  },
  server_error_then_ok: {
    ...ok,
    does: 'answers 503 twice for a reference, then works like ok',
    refuses: { times: 2, answer: 'unavailable' },
  },
  server_error_after_charge: {
    does: 'makes the order, settles it, answers 500; no webhook; the same reference again answers the order',
    madeAs: 'settled',
    answers: 'internal_error',
    events: [],
  },
  rate_limited_then_ok: {
    ...ok,
    does: 'answers 429 with Retry-After: 1 twice for a reference, then works like ok',
    refuses: { times: 2, answer: 'rate_limited' },
  },
  webhook_first: {
    does: 'settles at once; the webhook is delivered before the submit call is answered (2 s at most)',
    madeAs: 'settled',
    answers: 'order_after_webhook',
    events: [{ after: 'none', webhook: 'settled' }],
  },
  webhook_twice: {
    ...ok,
    does: 'like ok, and the webhook comes a second time with the same webhook-id',
    events: [settles, { after: 'repeat', webhook: 'settled' }],
  },
  webhook_late: {
    ...ok,
    does: 'accepts, settles, sends the webhook 5 s later',
    events: [
      { after: 'settlement', becomes: 'settled' },
      { after: 'lateWebhook', webhook: 'settled' },
    ],
  },
  webhook_out_of_order: {
    ...ok,
    does: 'like ok, then a webhook order.pending with an earlier timestamp',
    events: [settles, { after: 'laterNews', webhook: 'pending' }],
  },
  wrong_amount: {
    ...ok,
    does: 'accepts, settles with amount + 1: order, charge and webhook say the other amount',
    events: [{ ...settles, amountOff: 1 }],
  },
  success_after_failure: {
    ...ok,
    does: 'a webhook says declined; 1.5 s later the order is settled and a webhook says so',
    events: [
      { after: 'settlement', becomes: 'declined', webhook: 'declined' },
      { after: 'laterNews', becomes: 'settled', webhook: 'settled' },
    ],
  },
  never_settles: { ...ok, does: 'accepts, stays pending for ever', events: [] },
} as const satisfies Record<string, Scenario>;

export type ScenarioName = keyof typeof scenarios;

export const scenarioNames = Object.keys(scenarios) as [ScenarioName, ...ScenarioName[]];

export const scenarioOf = (name: ScenarioName): Scenario => scenarios[name];
