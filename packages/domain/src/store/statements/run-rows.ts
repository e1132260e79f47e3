import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import { storable } from '../database/storable.js';
import type { Period } from './parts.js';
import type { StatementOf } from './store-lines.js';

/**
 * Where the lines of a run come from.
 * - `reader`: from the process that began the run.
 * - `file`: from a file that is kept with the run.
 * - `provider`: from the provider's own statement.
 */
export type RunSource = 'reader' | 'file' | 'provider';

export type ReconciliationRun = Period &
  Readonly<{
    id: string;
    status: 'running' | 'finished' | 'failed';
    source: RunSource;
    failure: string | null;
    /** The number of times that a worker took it up. Of two workers only the later one goes on. */
    tries: number;
    linesRead: number;
    /**
     * Lines that were read and are outside the period. They are stored, and not compared. Null: they were not counted,
     * because the run is running or failed, or an older release ended it.
     */
    linesOutside: number | null;
    createdAt: Date;
    finishedAt: Date | null;
  }>;

const runColumns = Prisma.sql`
  id,
  provider,
  provider_account as "providerAccount",
  from_at as "from",
  to_at as "to",
  status,
  source,
  failure,
  tries,
  lines_read as "linesRead",
  lines_outside as "linesOutside",
  created_at as "createdAt",
  finished_at as "finishedAt"`;

/** The time for which a worker keeps a run without telling that it still reads. */
const LEASE = Prisma.sql`interval '30 seconds'`;
/** After an hour of failed tries, the provider will hardly answer within minutes. */
export const TRIES_MAX = 20;
const FAILURE_MAX = 500;

export type NewRun = Readonly<{
  id: string;
  period: Period;
  source: RunSource;
  askedBy: string;
  /** The idempotency key of the request. Null: it has none. */
  key: Readonly<{ clientId: string; idempotencyKey: string; fingerprint: string }> | null;
  /** Set exactly if the source is `file`. */
  file: Uint8Array | null;
}>;

/**
 * Stores a new run with its file. A run that its reader carries out is kept by it, others are due at once. Null: the
 * idempotency key belongs to an earlier run.
 */
export async function insertRun(run: Run, ask: NewRun): Promise<ReconciliationRun | null> {
  const { id, period, source, askedBy, key, file } = ask;
  const [inserted] = await run<ReconciliationRun>(Prisma.sql`
    with
    inserted as (
      insert into reconciliation_run (
        id, provider, provider_account, from_at, to_at, source, asked_by, due_at, client_id, idempotency_key, fingerprint)
      values (
        ${id}::uuid, ${period.provider}, ${period.providerAccount}, ${period.from}, ${period.to}, ${source}, ${askedBy},
        case ${source}::text when 'reader' then now() + ${LEASE} else now() end,
        ${key?.clientId ?? null}::uuid, ${key?.idempotencyKey ?? null}, ${key?.fingerprint ?? null})
      on conflict do nothing
      returning *),
    kept_file as (
      insert into reconciliation_file (run_id, bytes)
      select id, ${file === null ? null : Buffer.from(file)}::bytea
      from inserted
      where source = 'file')
    select ${runColumns} from inserted`);
  return inserted ?? null;
}

/** The day of a scheduled run. `afterMs`: how long it must be over. `utcOffsetMs`: 0 for days of UTC. */
export type ScheduledDay = Readonly<{ afterMs: number; utcOffsetMs: number }>;

/**
 * Asks for the run of a provider account over the last whole day once the day has been over for `afterMs`. The day begins
 * `utcOffsetMs` before that of UTC. Of several workers one makes it. Returns whether this call did.
 */
export async function scheduledRun(
  run: Run,
  { provider, providerAccount }: StatementOf,
  { id, afterMs, utcOffsetMs }: ScheduledDay & Readonly<{ id: string }>,
): Promise<boolean> {
  const rows = await run(Prisma.sql`
    with day as (
      select date_trunc('day', now() + ${utcOffsetMs - afterMs}::int * interval '1 ms', 'UTC')
        - ${utcOffsetMs}::int * interval '1 ms' as over_at)
    insert into reconciliation_run (id, provider, provider_account, from_at, to_at, source, asked_by, due_at)
    select ${id}::uuid, ${provider}, ${providerAccount}, over_at - interval '1 day', over_at, 'provider', 'schedule', now()
    from day
    on conflict (provider, provider_account, from_at, to_at) where asked_by = 'schedule' do nothing
    returning id`);
  return rows.length > 0;
}

export async function runById(run: Run, id: string): Promise<ReconciliationRun | null> {
  const [found] = await run<ReconciliationRun>(
    Prisma.sql`select ${runColumns} from reconciliation_run where id = ${id}::uuid`,
  );
  return found ?? null;
}

export async function runByKey(
  run: Run,
  { clientId, idempotencyKey }: Readonly<{ clientId: string; idempotencyKey: string }>,
): Promise<(ReconciliationRun & { fingerprint: string }) | null> {
  const [found] = await run<ReconciliationRun & { fingerprint: string }>(Prisma.sql`
    select ${runColumns}, fingerprint
    from reconciliation_run
    where client_id = ${clientId}::uuid and idempotency_key = ${idempotencyKey}`);
  return found ?? null;
}

/** What an ended run found, as JSON. Null: nothing is kept. */
export async function keptOf(run: Run, id: string): Promise<unknown> {
  const [row] = await run<{ found: unknown }>(
    Prisma.sql`select found from reconciliation_run where id = ${id}::uuid`,
  );
  return row?.found ?? null;
}

export type RunFilter = Readonly<{
  provider?: string | undefined;
  status?: ReconciliationRun['status'] | undefined;
  beforeId?: string | undefined;
  limit: number;
}>;

// A condition that accepts a missing id would read all newer runs, in the plan for all values.
const AFTER_LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/** The runs before an id, newest first, `limit` at most. */
export const listRuns = (run: Run, filter: RunFilter): Promise<ReconciliationRun[]> =>
  run<ReconciliationRun>(Prisma.sql`
    select ${runColumns}
    from reconciliation_run
    where (${filter.provider ?? null}::text is null or provider = ${filter.provider ?? null})
      and (${filter.status ?? null}::text is null or status = ${filter.status ?? null})
      and id < ${filter.beforeId ?? AFTER_LAST_ID}::uuid
    order by id desc
    limit ${filter.limit}::int`);

/** Takes up the run that has been due for longest, if it is of one of these accounts or needs no provider. */
export async function takenUp(run: Run, accounts: readonly StatementOf[]): Promise<ReconciliationRun | null> {
  const [taken] = await run<ReconciliationRun>(Prisma.sql`
    update reconciliation_run
    set due_at = now() + ${LEASE}, tries = tries + 1
    where id = (
      select due.id
      from reconciliation_run due
      where due.status = 'running' and due.due_at <= now()
        and (due.source <> 'provider' or (due.provider, due.provider_account) in (
          select unnest(${accounts.map(({ provider }) => provider)}::text[]),
            unnest(${accounts.map(({ providerAccount }) => providerAccount)}::text[])))
      order by due.due_at
      limit 1
      for update skip locked)
    returning ${runColumns}`);
  return taken ?? null;
}

const own = ({ id, tries }: Pick<ReconciliationRun, 'id' | 'tries'>): Prisma.Sql =>
  Prisma.sql`id = ${id}::uuid and tries = ${tries}::int and status = 'running'`;

/** Keeps a run for as long again. False: another worker has it, or it is over. */
export async function renewed(run: Run, mine: ReconciliationRun, linesRead: number): Promise<boolean> {
  const rows = await run(Prisma.sql`
    update reconciliation_run
    set due_at = now() + ${LEASE}, lines_read = ${linesRead}::int
    where ${own(mine)}
    returning id`);
  return rows.length > 0;
}

/** Ends a run. Its file is not needed any more. */
export const ended = (
  mine: ReconciliationRun,
  { linesRead, linesOutside, failure }: Pick<ReconciliationRun, 'linesRead' | 'linesOutside' | 'failure'>,
): Prisma.Sql => Prisma.sql`
  with
  ended_runs as (
    update reconciliation_run
    set
      status = ${failure === null ? 'finished' : 'failed'},
      failure = ${failure === null ? null : storable(failure, FAILURE_MAX)},
      lines_read = ${linesRead}::int,
      lines_outside = ${linesOutside}::int,
      finished_at = now()
    where ${own(mine)}
    returning id),
  dropped_files as (
    delete from reconciliation_file where run_id in (select id from ended_runs))
  select id from ended_runs`;

/** Keeps what an ended run found, as JSON. */
export const keptWith = (id: string, found: string): Prisma.Sql => Prisma.sql`
  update reconciliation_run
  set found = ${found}::jsonb
  where id = ${id}::uuid and found is null`;

/** Puts a run off: the gap doubles from half a minute to five. */
export const putOff = (mine: ReconciliationRun, why: string): Prisma.Sql => Prisma.sql`
  update reconciliation_run
  set
    due_at = now() + least(15 * power(2, ${mine.tries}::int), 300) * interval '1 second',
    failure = ${storable(why, FAILURE_MAX)}
  where ${own(mine)}`;

// A file of 16 MB passes in some 64 pieces, each with its text form in memory.
const SLICE_BYTES = 262_144;

/** The bytes of the file of a run, piece by piece. */
export async function* fileOf(run: Run, runId: string): AsyncGenerator<Buffer> {
  for (let from = 1; ; from += SLICE_BYTES) {
    const [slice] = await run<{ bytes: Buffer }>(Prisma.sql`
      select substring(bytes from ${from}::int for ${SLICE_BYTES}::int) as bytes
      from reconciliation_file
      where run_id = ${runId}::uuid`);
    if (!slice) throw new Error(`the file of run ${runId} is gone`);
    if (slice.bytes.length > 0) yield slice.bytes;
    if (slice.bytes.length < SLICE_BYTES) return;
  }
}
