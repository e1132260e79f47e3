/** The types of events that a client may be told. */
export const callbackTypes = [
  'recharge.accepted',
  'recharge.in_progress',
  'recharge.succeeded',
  'recharge.failed',
  'recharge.canceled',
  'refund.succeeded',
  'refund.failed',
  'case.opened',
  'case.closed',
  'rule.paused',
  'plan.finished',
] as const;

export type CallbackType = (typeof callbackTypes)[number];

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** The gaps before the second and each further attempt, in milliseconds. Together they are 65 hours and a half. */
export const CALLBACK_SCHEDULE_MS: readonly number[] = [
  5 * SECOND,
  30 * SECOND,
  2 * MINUTE,
  10 * MINUTE,
  HOUR,
  4 * HOUR,
  12 * HOUR,
  24 * HOUR,
  24 * HOUR,
];

/** What came of one post. `retryAfterMs`: how long the receiver asks to be left alone. */
export type PostOutcome = Readonly<{
  httpStatus: number | null;
  /** Why the post did not arrive. Null: it arrived. */
  error: string | null;
  durationMs: number;
  retryAfterMs: number | null;
}>;

export type AfterPost =
  | Readonly<{ status: 'delivered' | 'failed' | 'gone' }>
  | Readonly<{ status: 'pending'; gapMs: number }>;

// A receiver cannot put us off for longer than the longest gap of the schedule.
const RETRY_AFTER_MAX_MS = 24 * HOUR;
// Without jitter, all deliveries that failed together would be tried again together.
const JITTER = 0.2;

/**
 * What becomes of a delivery after an attempt. `tries` counts the attempts before this one. A gap is the schedule's or
 * up to a fifth longer, and never shorter than the receiver asks for. 410 means that there is no such receiver any more.
 */
export function afterPost(
  { httpStatus, error, retryAfterMs }: PostOutcome,
  tries: number,
  { schedule, random }: Readonly<{ schedule: readonly number[]; random: () => number }>,
): AfterPost {
  if (error === null) return { status: 'delivered' };
  if (httpStatus === 410) return { status: 'gone' };
  const gapMs = schedule[tries];
  if (gapMs === undefined) return { status: 'failed' };
  const asked = Math.min(retryAfterMs ?? 0, RETRY_AFTER_MAX_MS);
  return { status: 'pending', gapMs: Math.round(Math.max(gapMs * (1 + JITTER * random()), asked)) };
}
