import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import { utc } from '../database/rows.js';

/** A circuit breaker of a worker. It guards one operation of one of our accounts at a provider. */
export type BreakerKey = Readonly<{ provider: string; providerAccount: string; operation: string }>;

/** What the workers last told of their breakers. Times are ISO 8601. */
export type ProviderDown = Readonly<{ since: string; until: string }>;

export interface Breakers {
  /** Stores that a breaker is open. `openForMs`: the time until it admits a call as a probe. */
  opened(key: BreakerKey, openForMs: number): Promise<void>;
  closed(key: BreakerKey): Promise<void>;
}

// A breaker that stays open is told again after each probe, and a probe waits for a job and for its time limit. After
// this time the worker that told of it is gone.
const TOLD_WITHIN = Prisma.sql`interval '30 s'`;

export const openBreakers = (run: Run): Breakers => ({
  async opened({ provider, providerAccount, operation }, openForMs) {
    await run(Prisma.sql`
      insert into provider_breaker as known (provider, provider_account, operation, open_until, opened_at)
      values (
        ${provider},
        ${providerAccount},
        ${operation},
        clock_timestamp() + ${openForMs}::float8 * interval '1 ms',
        clock_timestamp())
      on conflict (provider, provider_account, operation) do update
      set
        open_until = greatest(known.open_until, excluded.open_until),
        opened_at = case when known.open_until > now() - ${TOLD_WITHIN}
          then known.opened_at else excluded.opened_at end`);
  },
  async closed({ provider, providerAccount, operation }) {
    await run(Prisma.sql`
      delete from provider_breaker
      where provider = ${provider} and provider_account = ${providerAccount} and operation = ${operation}`);
  },
});

/** Whether a breaker of `provider_breaker breaker` stops the recharge of this table. */
export const stops = (recharge: string): Prisma.Sql => Prisma.sql`
  breaker.provider = ${Prisma.raw(recharge)}.provider
  and breaker.provider_account = ${Prisma.raw(recharge)}.provider_account
  and breaker.operation = any(case when ${Prisma.raw(recharge)}.kind in ('refund', 'recall')
    then array['refund', 'refund_query'] else array['submit', 'query'] end)`;

/** The breakers that are open, as far as the workers have told lately. */
export const openNow = Prisma.sql`
  select provider, provider_account, operation, open_until, opened_at
  from provider_breaker
  where open_until > now() - ${TOLD_WITHIN}`;

/**
 * `ProviderDown` of an unfinished recharge. Null: no breaker stops it. The open breakers are read once per statement,
 * because a list has a hundred rows.
 */
export const providerDownOf = (recharge: string): Prisma.Sql => Prisma.sql`
  case when ${Prisma.raw(recharge)}.next_step is not null then (
    select jsonb_build_object('since', min(breaker.since), 'until', max(breaker.until))
    from jsonb_to_recordset((
      select jsonb_agg(jsonb_build_object(
        'provider', provider,
        'provider_account', provider_account,
        'operation', operation,
        'since', ${utc('opened_at')},
        'until', ${utc('open_until')}))
      from (${openNow}) open_breaker)) as breaker(
        provider text, provider_account text, operation text, since text, until text)
    where ${stops(recharge)}
    having count(*) > 0) end`;
