import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import { uuidsOf } from '../database/storable.js';
import type { Due, DueSource, Lane } from './source.js';

type CallbackLane = Extract<Lane, { what: 'callback' }>;

// A job for a receiver is begun within milliseconds. A job that is not begun by then is lost, or waits in a long queue.
const HINTED_FOR_MS = 5_000;
// Each receiver costs some ten buffers.
const LANES_TOGETHER = 100;

/**
 * The receivers that have a due callback. A job carries the id of a receiver and not of a callback, so a receiver that
 * does not answer takes one turn of the workers, however many callbacks wait for it.
 */
export const dueCallbacks = (run: Run): DueSource<CallbackLane> => ({
  lanes: () => [
    { what: 'callback', isSlow: false },
    { what: 'callback', isSlow: true },
  ],
  take: async (max, lane) => {
    const taken: Due[] = [];
    while (taken.length < max) {
      const wanted = Math.min(LANES_TOGETHER, max - taken.length);
      const rows = await takeLanes(run, wanted, lane);
      taken.push(...rows.map((row) => ({ what: 'callback' as const, ...row })));
      if (rows.length < wanted) break;
    }
    return taken;
  },
  putBack: async (ids) => {
    await run(Prisma.sql`
      update callback_lane
      set hinted_until = now()
      where id = any(${uuidsOf(ids)}::uuid[])`);
  },
});

/** Steps from receiver to receiver through the index, so a receiver with many callbacks costs as little as any other. */
const takeLanes = (run: Run, max: number, lane?: CallbackLane): Promise<{ id: string; isSlow: boolean }[]> =>
  run(Prisma.sql`
    with recursive lanes as (
      (select lane from callback_delivery where due_at is not null order by lane limit 1)
      union all
      select (
        select next.lane
        from callback_delivery next
        where next.due_at is not null and next.lane > lanes.lane
        order by next.lane
        limit 1)
      from lanes
      where lanes.lane is not null),
    due as materialized (
      select lanes.lane
      from lanes
      left join callback_lane known on known.id = lanes.lane
      where lanes.lane is not null
        and coalesce(known.hinted_until <= now(), true)
        and ${lane ? Prisma.sql`coalesce(known.is_slow, false) = ${lane.isSlow}::boolean` : Prisma.sql`true`}
        and exists (select from callback_delivery due where due.lane = lanes.lane and due.due_at <= now())
      order by lanes.lane
      limit ${max}::int)
    insert into callback_lane as known (id, hinted_until)
    select lane, now() + ${HINTED_FOR_MS}::int * interval '1 ms'
    from due
    on conflict (id) do update set hinted_until = excluded.hinted_until where known.hinted_until <= now()
    returning id, is_slow as "isSlow"`);
