import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';

/** A delivery that this worker has the right to post, until the end of its lease. */
export type ClaimedPost = Readonly<{
  id: string;
  eventId: string;
  clientId: string;
  endpointId: string | null;
  lane: string;
  url: string;
  type: string;
  tries: number;
  /** The sealed secret of the endpoint. Null: there is no endpoint, or it is not active. */
  secretSealed: Uint8Array | null;
  previousSecretSealed: Uint8Array | null;
  previousValidUntil: Date | null;
}>;

export type ClaimOptions = Readonly<{
  /** The longest time of one post. A claim whose post was not filed ends then, and the delivery is due again. */
  leaseMs: number;
  max: number;
}>;

// Claimed and blocked deliveries of one statement.
const LOOKED_AT_MAX = 16;

/**
 * Claims the oldest due deliveries of a lane. Of each subject only the first unfinished one is claimed: a later event
 * waits until the earlier ones have arrived or were given up. A delivery that has to wait gets the due time of the one
 * that it waits for, so it is not looked at again before.
 *
 * The lane itself is leased too. So two workers do not post to one receiver at the same time.
 */
export async function claimPosts(
  run: Run,
  lane: string,
  { leaseMs, max }: ClaimOptions,
): Promise<ClaimedPost[]> {
  for (;;) {
    const rows = await run<ClaimedPost & { isClaimed: boolean }>(claim(lane, leaseMs, max));
    const claimed = rows.filter(({ isClaimed }) => isClaimed).map(({ isClaimed: _, ...post }) => post);
    if (claimed.length > 0 || rows.length === 0) return claimed;
  }
}

const ofEndpoint = (
  column: 'secret_sealed' | 'previous_secret_sealed' | 'previous_valid_until',
): Prisma.Sql =>
  Prisma.raw(`(
      select endpoint.${column}
      from callback_endpoint endpoint
      where endpoint.id = delivery.endpoint_id and endpoint.status = 'active')`);

const claim = (lane: string, leaseMs: number, max: number): Prisma.Sql => Prisma.sql`
  with
  candidates as materialized (
    select id, subject, seq
    from callback_delivery
    where lane = ${lane}::uuid and due_at <= now()
    order by due_at, seq
    limit ${LOOKED_AT_MAX}::int
    for update skip locked),
  judged as materialized (
    select
      candidate.id,
      candidate.seq,
      (select earlier.due_at
        from callback_delivery earlier
        where earlier.lane = ${lane}::uuid and earlier.subject = candidate.subject
          and earlier.due_at is not null and earlier.seq < candidate.seq
        order by earlier.seq
        limit 1) as blocked_until
    from candidates candidate),
  numbered as materialized (
    select
      id,
      blocked_until,
      row_number() over (partition by blocked_until is null order by seq) as n
    from judged),
  leased_lane as (
    update callback_lane
    set hinted_until = now() + ${leaseMs}::int * interval '1 ms'
    where id = ${lane}::uuid and exists (select from numbered where blocked_until is null))
  update callback_delivery delivery
  set due_at = case when blocked_until is null then now() + ${leaseMs}::int * interval '1 ms'
    else greatest(blocked_until, now() + interval '1 s') end
  from numbered
  where delivery.id = numbered.id and (blocked_until is not null or n <= ${max}::int)
  returning
    delivery.id,
    delivery.event_id as "eventId",
    delivery.client_id as "clientId",
    delivery.endpoint_id as "endpointId",
    delivery.lane,
    delivery.url,
    delivery.type,
    delivery.tries,
    ${ofEndpoint('secret_sealed')} as "secretSealed",
    ${ofEndpoint('previous_secret_sealed')} as "previousSecretSealed",
    ${ofEndpoint('previous_valid_until')} as "previousValidUntil",
    blocked_until is null as "isClaimed"`;
