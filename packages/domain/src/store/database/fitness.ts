import { Prisma } from '../../generated/client.js';
import { type Run, sessionPins } from './database.js';
import { StoreUnavailable } from './failure.js';
import { storeFaultInWords } from './failure-words.js';
import { migrationNames } from './migrations.js';

/** Whether to use a database whose schema is newer than this release, as during a rolling deploy. */
export type NewerSchema = 'refuse' | 'serve';

type Options = Readonly<{ now: () => Date; newerSchema: NewerSchema }>;

type Server = Readonly<{
  isReplica: boolean;
  isReadOnly: boolean;
  nowMs: number;
  wrongSettings: string[];
  encoding: string;
  isMigrated: boolean;
}>;

type SchemaState = Readonly<{ applied: string[]; unfinished: string[]; missingRights: string[] }>;

// The most that two clocks may differ. Ids, nonces and the bounds of lists allow for such differences. One minute is
// far more than NTP leaves between clocks, and far less than the hour that lists by time allow for.
const CLOCKS_APART_MS_MAX = 60_000;

/**
 * Checks that the database can serve this process: it takes writes, and has the schema of this release, the rights, the
 * settings of the session, and the same time of day.
 * @throws StoreUnavailable whose message names all faults
 */
export async function checkFitness(run: Run, options: Options): Promise<void> {
  const faults = await faultsOf(run, options).catch((error: unknown) => {
    const reason = storeFaultInWords(error);
    if (!(error instanceof StoreUnavailable) || reason === null) throw error;
    throw new StoreUnavailable(reason, { cause: error.cause });
  });
  if (faults.length > 0) throw new StoreUnavailable(faults.join('; '));
}

async function faultsOf(run: Run, { now, newerSchema }: Options): Promise<string[]> {
  const askedAtMs = now().getTime();
  const [server] = await askServer(run);
  const answeredAtMs = now().getTime();
  if (!server) throw new Error('Postgres answered no row about itself');
  return [
    ...faultsOfServer(server),
    ...faultsOfClocks(server.nowMs, askedAtMs, answeredAtMs),
    ...(server.isMigrated ? await faultsOfSchema(run, newerSchema) : [NOT_MIGRATED]),
  ];
}

const NOT_MIGRATED = 'the database has no schema: run npx replenish migrate';

const askServer = (run: Run): Promise<Server[]> =>
  run<Server>(Prisma.sql`
  with given as materialized (select ${JSON.stringify(sessionPins)}::jsonb as pins)
  select
    pg_is_in_recovery() as "isReplica",
    current_setting('transaction_read_only') = 'on' as "isReadOnly",
    (extract(epoch from clock_timestamp()) * 1000)::float8 as "nowMs",
    array(
      select format('%s is %s', setting.name, setting.setting)
      from given, pg_settings setting
      where not given.pins -> lower(setting.name) ? setting.setting
      order by 1) as "wrongSettings",
    current_setting('server_encoding') as encoding,
    to_regclass('_prisma_migrations') is not null as "isMigrated"`);

function faultsOfServer({ isReplica, isReadOnly, wrongSettings, encoding }: Server): string[] {
  const faults: string[] = [];
  if (isReplica)
    faults.push('the database is a replica and takes no writes: point DATABASE_URL at the primary');
  else if (isReadOnly)
    faults.push('the database takes no writes: default_transaction_read_only is set for it or for its role');
  if (wrongSettings.length > 0)
    faults.push(
      `settings of the session are lost (is a connection pooler in between?): ${wrongSettings.join(', ')}`,
    );
  if (encoding !== 'UTF8') faults.push(`the database has the encoding ${encoding}: it must be UTF8`);
  return faults;
}

/**
 * The server read its clock at some moment between question and answer. Only a time outside that interval shows a wrong
 * clock.
 */
function faultsOfClocks(serverMs: number, askedAtMs: number, answeredAtMs: number): string[] {
  const apartMs = Math.max(askedAtMs - serverMs, serverMs - answeredAtMs);
  if (apartMs <= CLOCKS_APART_MS_MAX) return [];
  const direction = serverMs > answeredAtMs ? 'behind' : 'ahead of';
  return [
    `the clock of this process is ${Math.round(apartMs / 1_000)} seconds ${direction} the clock of the database: set both by NTP`,
  ];
}

async function faultsOfSchema(run: Run, newerSchema: NewerSchema): Promise<string[]> {
  const [schema] = await run<SchemaState>(Prisma.sql`
    select
      array(select migration_name from _prisma_migrations
        where finished_at is not null and rolled_back_at is null order by 1) as applied,
      array(select migration_name from _prisma_migrations
        where finished_at is null and rolled_back_at is null order by 1) as unfinished,
      array(${missingRights}) as "missingRights"`);
  if (!schema) throw new Error('Postgres answered no row about the schema');
  const own = migrationNames();
  const missing = own.filter((name) => !schema.applied.includes(name));
  const newer = schema.applied.filter((name) => !own.includes(name));
  const faults: string[] = [];
  if (schema.unfinished.length > 0)
    faults.push(`a migration is under way or has failed: ${schema.unfinished.join(', ')}`);
  else if (missing.length > 0)
    faults.push(
      `the schema is older than this release, run npx replenish migrate (missing: ${missing.join(', ')})`,
    );
  if (newer.length > 0 && newerSchema === 'refuse')
    faults.push(`the schema is newer than this release (unknown here: ${newer.join(', ')})`);
  if (schema.missingRights.length > 0)
    faults.push(`the role of DATABASE_URL lacks rights: ${schema.missingRights.join(', ')}`);
  return faults;
}

/** Rights on tables that no trigger forbids and that the role lacks, as after a migration that granted it nothing. */
const missingRights = Prisma.sql`
  select format('%s on %s', needed.verb, class.relname)
  from pg_class class
  cross join (values ('select'), ('insert'), ('update')) needed(verb)
  where class.relnamespace = 'public'::regnamespace and class.relkind in ('r', 'p')
    and class.relname <> '_prisma_migrations'
    and not has_table_privilege(class.oid, needed.verb)
    and not (needed.verb = 'update' and exists (
      select from pg_trigger guard
      join pg_proc refusal on refusal.oid = guard.tgfoid
      where guard.tgrelid = class.oid and refusal.proname = 'refuse_change' and guard.tgtype & 16 > 0))
  order by class.relname, needed.verb
  limit 8`;
