/** All times of the simulator, in milliseconds. Tests use shorter ones. */
export type Timing = Readonly<Record<keyof typeof defaultTiming, number>>;

export const defaultTiming = {
  /**
   * From the order to its settlement. Long enough that the answer to the submit usually arrives first, short enough to
   * watch.
   */
  settlementMs: 50,
  /**
   * Between the two copies of one webhook. By then the receiver has usually answered the first copy, and often not
   * processed it.
   */
  repeatMs: 100,
  /**
   * Delay of a webhook that contradicts an earlier one, or is out of order. By then a receiver with queues has
   * processed the first webhook, even on a busy machine.
   */
  laterNewsMs: 1_500,
  /** Delay of a late webhook. A local fleet queries after 2 s of silence, so the query overtakes the webhook. */
  lateWebhookMs: 5_000,
  /** The time for which a submit call of `webhook_first` waits until its webhook is accepted. */
  webhookFirstMs: 2_000,
  /** Delay of every answer in the outage `slow`. It is longer than the time limits of callers. */
  slowAnswerMs: 10_000,
  /** Time limit of one webhook delivery, including the connection. */
  deliveryLimitMs: 10_000,
  /** Wait before the first retry of a webhook. It doubles up to `retryCapMs`, with jitter. */
  retryFirstMs: 1_000,
  retryCapMs: 60_000,
} as const satisfies Record<string, number>;

/** The delays that a scenario may use. */
export type Delay = 'none' | 'settlement' | 'repeat' | 'laterNews' | 'lateWebhook';

export const delayMs = (timing: Timing, delay: Delay): number =>
  delay === 'none' ? 0 : timing[`${delay}Ms`];
