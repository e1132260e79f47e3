/** All times of the simulator, in milliseconds. A test passes shorter ones. */
export type Timing = Readonly<Record<keyof typeof defaultTiming, number>>;

export const defaultTiming = {
  /** From order to settlement: long enough that the submit answer usually arrives first, short enough to watch. */
  settlementMs: 50,
  /** Between the two copies of one webhook: the first has been answered, and is often not yet processed. */
  repeatMs: 100,
  /** Until news that contradicts or trails the first: a queue-driven receiver has filed the first by then, also on a busy machine. */
  laterNewsMs: 1_500,
  /** Longer than a local fleet waits before it asks by itself (2 s), so the query overtakes the webhook. */
  lateWebhookMs: 5_000,
  /** How long a submit call of `webhook_first` waits for its own webhook to be taken. */
  webhookFirstMs: 2_000,
  /** Every answer in the outage `slow`: beyond the time limit of any caller that has one. */
  slowAnswerMs: 10_000,
  /** Limit of one webhook delivery, connection and answer together. */
  deliveryLimitMs: 10_000,
  /** Gap before the first retry of a webhook; it doubles up to the cap, with jitter. */
  retryFirstMs: 1_000,
  retryCapMs: 60_000,
} as const satisfies Record<string, number>;

/** The delays a scenario may name. */
export type Delay = 'none' | 'settlement' | 'repeat' | 'laterNews' | 'lateWebhook';

export const delayMs = (timing: Timing, delay: Delay): number =>
  delay === 'none' ? 0 : timing[`${delay}Ms`];
