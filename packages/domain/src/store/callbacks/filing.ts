import type { AfterPost, PostOutcome } from '../../core/callback.js';
import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import type { ClaimedPost } from './claim.js';

// How many attempts are kept, the newest ones. A schedule has ten, so attempts of several replays are kept.
const ATTEMPTS_KEPT = 100;
// A receiver that takes longer gets its events from workers that wait for such receivers only.
const SLOW_AFTER_MS = 2_000;
// The whole schedule of one delivery takes less than three days. So a weekend of silence disables nobody.
const FAILING_FOR_DAYS = 5;

/** What filing an attempt changed, apart from the delivery itself. */
export type FiledPost = Readonly<{ disabledBecause: 'GONE' | 'FAILING' | null }>;

/**
 * Files an attempt. The delivery ends or gets its next due time. If it ends, the next event of its subject is due at
 * once. A receiver that is gone, or that has taken nothing for days, is disabled.
 */
export async function filePost(
  run: Run,
  post: ClaimedPost,
  outcome: PostOutcome,
  after: AfterPost,
): Promise<FiledPost> {
  await run(filed(post, outcome, after));
  if (after.status === 'gone')
    return { disabledBecause: (await disabled(run, post, 'GONE')) ? 'GONE' : null };
  if (after.status !== 'failed') return { disabledBecause: null };
  return { disabledBecause: (await disabled(run, post, 'FAILING')) ? 'FAILING' : null };
}

const filed = (post: ClaimedPost, outcome: PostOutcome, after: AfterPost): Prisma.Sql => {
  const { httpStatus, error, durationMs } = outcome;
  const isSlow = error !== null || durationMs > SLOW_AFTER_MS;
  const status = after.status === 'gone' ? 'failed' : after.status;
  const gapMs = after.status === 'pending' ? after.gapMs : null;
  return Prisma.sql`
    with
    ended as (
      update callback_delivery delivery
      set
        status = ${status},
        tries = delivery.tries + 1,
        due_at = now() + ${gapMs}::float8 * interval '1 ms',
        attempts = (
          case when jsonb_array_length(delivery.attempts) >= ${ATTEMPTS_KEPT}::int
            then delivery.attempts - 0 else delivery.attempts end) || jsonb_build_object(
          'at', to_char((now() - ${durationMs}::float8 * interval '1 ms') at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
          'httpStatus', ${httpStatus}::int,
          'error', ${error}::text,
          'durationMs', ${durationMs}::int)
      -- A replay or a cancellation during the post has changed the delivery. Its result no longer counts.
      where delivery.id = ${post.id}::uuid and delivery.status = 'pending' and delivery.tries = ${post.tries}::int
      returning delivery.lane, delivery.subject, delivery.seq, delivery.status),
    lane as (
      update callback_lane
      set
        is_slow = ${isSlow}::boolean,
        failing_since = case when ${error}::text is not null then coalesce(failing_since, now()) end
      where id = ${post.lane}::uuid
        and (is_slow <> ${isSlow}::boolean or (failing_since is null) = (${error}::text is not null)))
    update callback_delivery next
    set due_at = now()
    from (
      select (
        select later.id
        from callback_delivery later
        where later.lane = ended.lane and later.subject = ended.subject and later.seq > ended.seq
          and later.due_at is not null
        order by later.seq
        limit 1) as id
      from ended
      where ended.status <> 'pending') first
    where next.id = first.id`;
};

/** Disables the receiver of a post and cancels what waits for it. */
async function disabled(run: Run, post: ClaimedPost, because: 'GONE' | 'FAILING'): Promise<boolean> {
  if (post.endpointId === null) {
    if (because === 'GONE') await cancelNamed(run, post);
    return false;
  }
  const rows = await run<{ id: string }>(Prisma.sql`
    update callback_endpoint
    set status = 'disabled', disabled_because = ${because}, disabled_at = now()
    where id = ${post.endpointId}::uuid and status = 'active'
      and (${because} = 'GONE' or exists (
        select from callback_lane
        where id = ${post.lane}::uuid and failing_since < now() - ${FAILING_FOR_DAYS}::int * interval '1 day'))
    returning id`);
  if (rows.length === 0) return false;
  await cancelPending(run, Prisma.sql`lane = ${post.lane}::uuid`);
  return true;
}

/** Cancels what waits for the `callbackUrl` of one recharge. Other addresses at the same host may still work. */
const cancelNamed = (run: Run, post: ClaimedPost): Promise<void> =>
  cancelPending(
    run,
    Prisma.sql`lane = ${post.lane}::uuid and url = ${post.url} and subject = (
      select subject from callback_delivery where id = ${post.id}::uuid)`,
  );

const CANCELED_TOGETHER = 200;

/** Cancels the deliveries that still wait in a lane. */
export async function cancelPending(run: Run, which: Prisma.Sql): Promise<void> {
  for (;;) {
    const rows = await run<{ id: string }>(Prisma.sql`
      update callback_delivery
      set status = 'canceled', due_at = null
      where id = any(array(
        select id
        from callback_delivery
        where due_at is not null and ${which}
        limit ${CANCELED_TOGETHER}::int))
      returning id`);
    if (rows.length < CANCELED_TOGETHER) return;
  }
}
