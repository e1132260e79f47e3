import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import { columns } from '../database/rows.js';

export const noticeChannels = ['email', 'dingtalk', 'feishu', 'slack', 'webhook'] as const;
export type NoticeChannel = (typeof noticeChannels)[number];

/** What people are told about. */
export const noticeKinds = [
  'rule_due',
  'rule_paused',
  'rule_cap',
  'approval_asked',
  'pool_short',
  'case_opened',
  'case_sent',
] as const;
export type NoticeKind = (typeof noticeKinds)[number];

/** One thing that people are told. `content` holds ids, amounts as texts and words of ours, and no secret. */
export type Notice = Readonly<{
  id: string;
  kind: NoticeKind;
  subject: string;
  content: Readonly<Record<string, string | null>>;
  at: Date;
}>;

/** What became of the notices of one message. `again`: they are sent again later. */
export type NoticeResult = 'sent' | 'again' | 'failed';

/** Notices to the people who run the fleet. Triggers stage one per open channel. */
export interface Notices {
  /** Opens these channels and closes all others. Nothing is staged for a closed channel. */
  openChannels(names: readonly NoticeChannel[]): Promise<void>;
  /**
   * Leases the due notices of a channel, oldest first, and starts the pause until the next message. None: the channel
   * is pausing, closed, or has no due notice.
   */
  take(channel: string, times: Readonly<{ everyMs: number; leaseMs: number }>): Promise<Notice[]>;
  /** Files the result of one message: all of its notices have it. A notice fails after NOTICE_TRIES_MAX tries. */
  file(notices: readonly Notice[], isSent: boolean): Promise<NoticeResult>;
}

/** Notices that one message takes. The message lists some of them and counts the others. */
export const NOTICES_TOGETHER = 200;
/** The gaps double from half a minute to half a day, so a channel that is away for two days hears everything. */
export const NOTICE_TRIES_MAX = 14;
const GAP_MS = 30_000;
const GAP_MAX_MS = 43_200_000;

const openedChannels = columns({ name: 'text' });

export const openNotices = (run: Run): Notices => ({
  openChannels: async (names) => {
    await run(Prisma.sql`
      with
      opened_channels as (
        insert into notice_channel as known (name, is_open)
        select name, true
        from ${openedChannels.from(names.map((name) => ({ name })))} wanted
        on conflict (name) do update set is_open = true where not known.is_open
        returning 1)
      update notice_channel
      set is_open = false
      where is_open and name <> all(${[...names]}::text[])`);
  },
  take: (channel, times) => run(takenNotices(channel, times)),
  file: async (notices, isSent) => {
    const rows = await run<{ status: 'pending' | 'sent' | 'failed' }>(Prisma.sql`
      update notice
      set
        status = case
          when ${isSent}::boolean then 'sent'
          when tries >= ${NOTICE_TRIES_MAX}::int then 'failed'
          else 'pending' end,
        due_at = case
          when not ${isSent}::boolean and tries < ${NOTICE_TRIES_MAX}::int
            then now() + least(${GAP_MS}::float8 * 2 ^ (tries - 1), ${GAP_MAX_MS}::float8) * interval '1 ms' end
      where id = any(${notices.map(({ id }) => id)}::uuid[]) and status = 'pending'
      returning status`);
    if (isSent) return 'sent';
    return rows.some(({ status }) => status === 'failed') ? 'failed' : 'again';
  },
});

const takenNotices = (
  channel: string,
  { everyMs, leaseMs }: Parameters<Notices['take']>[1],
): Prisma.Sql => Prisma.sql`
    with
    taken_channel as materialized (
      update notice_channel
      set next_at = now() + ${everyMs}::int * interval '1 ms', hinted_until = now()
      where name = ${channel} and is_open and next_at <= now()
        and exists (select from notice where notice.channel = ${channel} and notice.due_at <= now())
      returning name),
    due as materialized (
      select notice.id
      from notice
      join taken_channel on taken_channel.name = notice.channel
      where notice.due_at <= now()
      order by notice.due_at, notice.id
      limit ${NOTICES_TOGETHER}::int
      for update of notice skip locked),
    taken_notices as (
      update notice
      set tries = tries + 1, due_at = now() + ${leaseMs}::int * interval '1 ms'
      from due
      where notice.id = due.id
      returning notice.*)
    select id, kind, subject, content, at
    from taken_notices
    order by at, id`;
