/** All times of the simulator, in milliseconds. Tests use shorter ones. */
export type Timing = Readonly<Record<keyof typeof defaultTiming, number>>;

export const defaultTiming = {
  /**
   * The time from the order to its settlement. The answer to the submit usually arrives earlier, and a person can wait
   * for it.
   */
  settlementMs: 50,
  /**
   * The time between the two copies of one webhook. When the second copy arrives, the receiver has usually answered the
   * first, but often not processed it.
   */
  repeatMs: 100,
  /**
   * Delay of a webhook that contradicts an earlier one, or is out of order. In this time a receiver with queues
   * processes the first webhook, even on a busy machine.
   */
  laterNewsMs: 1_500,
  /**
   * Delay of a late webhook. A local fleet queries after 2 s without an answer, so the query comes before the webhook.
   */
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
