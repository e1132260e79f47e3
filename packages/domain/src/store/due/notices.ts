import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import type { Due, DueSource, Lane } from './source.js';

type NoticeLane = Extract<Lane, { what: 'notice' }>;

// A job for a channel is begun within milliseconds. A job that is not begun by then is lost.
const HINTED_FOR_MS = 5_000;

/** The channels that have a due notice and may take a message now. A job carries the name of a channel. */
export const dueNotices = (run: Run): DueSource<NoticeLane> => ({
  lanes: () => [{ what: 'notice' }],
  take: async (max) => {
    const rows = await run<{ id: string }>(Prisma.sql`
      update notice_channel channel
      set hinted_until = now() + ${HINTED_FOR_MS}::int * interval '1 ms'
      where channel.name in (
        select name
        from notice_channel ready
        where ready.is_open and ready.hinted_until <= now() and ready.next_at <= now()
          and exists (select from notice where notice.channel = ready.name and notice.due_at <= now())
        order by name
        limit ${max}::int)
        and channel.hinted_until <= now()
      returning channel.name as id`);
    return rows.map((row): Due => ({ what: 'notice', ...row }));
  },
  putBack: async (ids) => {
    await run(Prisma.sql`
      update notice_channel
      set hinted_until = now()
      where name = any(${[...ids]}::text[])`);
  },
});
