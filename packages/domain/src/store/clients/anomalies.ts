import { type SecurityRule, securityRules } from '../../core/access/security-rules.js';
import { states } from '../../core/recharge.js';
import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import { filedSecurityEvents } from './security-events.js';

/** A client whose recharges differ from its own history. */
export type Anomaly = Readonly<{ rule: SecurityRule; clientId: string; detail: string }>;

// The most recharges of a client that one statement reads: the newest inside the window, and the newest before the
// window. If a client has more than RECENT_MAX in the window, the pace of the newest ones counts.
const RECENT_MAX = 500;
const PAST_MAX = 1_000;
// The fewest past recharges from which it is known what is usual for a client.
const PAST_MIN = 50;
const VELOCITY_TIMES = 10;
const VELOCITY_MIN = 100;
const AMOUNT_TIMES = 20;
const CLIENTS_BATCH = 50;

/** Compares each client's recharges of the last minutes with its past, and files each anomaly once per hour. */
export async function findAnomalies(run: Run): Promise<Anomaly[]> {
  const anomalies: Anomaly[] = [];
  let behind = '00000000-0000-0000-0000-000000000000';
  for (;;) {
    const clients = await run<{ clientId: string; isActive: boolean }>(clientsBehind(behind));
    for (const { clientId, isActive } of clients)
      if (isActive) anomalies.push(...(await run<Anomaly>(anomaliesOf(clientId))));
    if (clients.length < CLIENTS_BATCH) return anomalies;
    behind = clients.at(-1)!.clientId;
  }
}

const WINDOW = Prisma.sql`${securityRules.velocity.windowMs}::float8 * interval '1 ms'`;
const STATES = Prisma.sql`unnest(${[...states]}::text[]) as state(name)`;

/** The next clients that have a recharge. The statement steps from client to client through the index. */
const clientsBehind = (behind: string): Prisma.Sql => Prisma.sql`
  with recursive asking as (
    select ${behind}::uuid as client_id, 0 as n
    union all
    select next.client_id, asking.n + 1
    from asking
    cross join lateral (
      select recharge.client_id
      from recharge_transaction recharge
      where recharge.client_id > asking.client_id
      order by recharge.client_id
      limit 1) next
    where asking.n < ${CLIENTS_BATCH}::int)
  select client_id as "clientId", exists (
    select
    from ${STATES}
    cross join lateral (
      select
      from recharge_transaction recharge
      where recharge.client_id = asking.client_id
        and recharge.state = state.name
        and recharge.created_at >= now() - ${WINDOW}
      limit 1) recent) as "isActive"
  from asking
  where n > 0
  order by n`;

/** A client's recharges, newest first. The index has them in that order per state. */
const newest = (clientId: string, when: Prisma.Sql, limit: number): Prisma.Sql => Prisma.sql`
  select recharge.currency, recharge.amount_minor, recharge.created_at
  from ${STATES}
  cross join lateral (
    select recharge.currency, recharge.amount_minor, recharge.created_at
    from recharge_transaction recharge
    where recharge.client_id = ${clientId}::uuid and recharge.state = state.name and ${when}
    order by recharge.created_at desc, recharge.id desc
    limit ${limit}::int) recharge
  order by recharge.created_at desc
  limit ${limit}::int`;

const anomaliesOf = (clientId: string): Prisma.Sql => Prisma.sql`
  with
  recent as materialized (${newest(clientId, Prisma.sql`recharge.created_at >= now() - ${WINDOW}`, RECENT_MAX)}),
  past as materialized (${newest(clientId, Prisma.sql`recharge.created_at < now() - ${WINDOW}`, PAST_MAX)}),
  made as (
    select case when count(*) < ${RECENT_MAX}::int then count(*)
      else count(*) * ${securityRules.velocity.windowMs}::float8
        / greatest(extract(epoch from now() - min(created_at)) * 1000, 1) end as count
    from recent),
  pace as (
    select count(*) * ${securityRules.velocity.windowMs}::float8
      / greatest(extract(epoch from max(created_at) - min(created_at)) * 1000, 1) as usual
    from past
    having count(*) >= ${PAST_MIN}::int),
  size as (
    select currency, percentile_disc(0.99) within group (order by amount_minor) as usual
    from past
    group by currency
    having count(*) >= ${PAST_MIN}::int),
  largest as (
    select currency, max(amount_minor) as amount
    from recent
    group by currency),
  found_anomalies as (
    select 'velocity' as rule, format('%s recharges, usually %s', round(made.count), ceil(pace.usual)) as detail
    from made, pace
    where made.count >= ${VELOCITY_MIN}::int and made.count > ${VELOCITY_TIMES}::int * pace.usual
    union all
    select 'amount', format('%s %s, usually up to %s', largest.amount, largest.currency, size.usual)
    from largest
    join size using (currency)
    where largest.amount > ${AMOUNT_TIMES}::int * size.usual),
  to_file as (
    select found.rule, ${clientId}::uuid as client_id, null as key_id, null as origin, 1 as count, found.detail
    from found_anomalies found
    where not exists (
      select
      from security_event event
      where event.client_id = ${clientId}::uuid and event.rule = found.rule and event.at > now() - interval '1 hour')),
  ${filedSecurityEvents}
  select rule, client_id as "clientId", detail
  from filed_events`;
