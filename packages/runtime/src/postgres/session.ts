import type { ClientBase } from 'pg';

/** The database answers, and cannot do our work. The message says why, and what to do about it. */
export class UnfitDatabase extends Error {
  override readonly name = 'UnfitDatabase';
}

/**
 * Settings of a session, each with the values that serve: the first is set where the session has none of them. A name
 * that the server's version does not know is passed over.
 */
export type Pins = Readonly<Record<string, readonly [string, ...string[]]>>;

/**
 * What this code and its libraries take for granted. A server, a database, a role or the address itself may say
 * otherwise, and the driver then reads a time as null or an array's null as text. Not among them is
 * default_transaction_read_only: an operator or a full disk sets it in order to stop writes, and readiness tells of it.
 */
export const plainSession: Pins = {
  array_nulls: ['on'],
  bytea_output: ['hex'],
  client_encoding: ['UTF8'],
  datestyle: ['ISO, MDY', 'ISO, DMY', 'ISO, YMD'],
  default_transaction_isolation: ['read committed'],
  extra_float_digits: ['1', '2', '3'],
  idle_session_timeout: ['0'],
  intervalstyle: ['postgres'],
  row_security: ['on'],
  search_path: ['public'],
  // Any other value would switch the triggers off that guard the books.
  session_replication_role: ['origin'],
  standard_conforming_strings: ['on'],
  // A stronger promise of the server stays.
  synchronous_commit: ['on', 'remote_apply'],
  timezone: ['UTC'],
  transaction_timeout: ['0'],
  transform_null_equals: ['off'],
};

/**
 * For statements that look rows up by key. A plan is cached at the first calls, when the tables of a new installation
 * are empty and a scan looks cheap; without the first three it would go on scanning until statistics come.
 */
export const planner: Pins = {
  enable_seqscan: ['off'],
  enable_hashjoin: ['off'],
  enable_mergejoin: ['off'],
  // A bitmap reads all rows of a key and sorts them where an index has them in order and a page needs twenty.
  enable_bitmapscan: ['off'],
  enable_indexonlyscan: ['on'],
  enable_indexscan: ['on'],
  enable_nestloop: ['on'],
  enable_sort: ['on'],
  from_collapse_limit: ['8'],
  jit: ['off'],
  join_collapse_limit: ['8'],
  plan_cache_mode: ['auto'],
};

const wrong = `
  from jsonb_each($1::jsonb) pin
  join pg_settings setting on lower(setting.name) = lower(pin.key)
  where not pin.value ? setting.setting`;

/** Sets what differs. @throws UnfitDatabase when the server does not let this role set it */
export async function pin(client: Pick<ClientBase, 'query'>, pins: Pins): Promise<void> {
  try {
    await client.query(`select set_config(setting.name, pin.value ->> 0, false) ${wrong}`, [
      JSON.stringify(pins),
    ]);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    throw new UnfitDatabase(`this role cannot set up its session: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** The settings of a session that are not as pinned, each with its value. Empty: all are. */
export async function unpinned(client: Pick<ClientBase, 'query'>, pins: Pins): Promise<string[]> {
  const { rows } = await client.query<{ found: string }>(
    `select format('%s is %s', setting.name, setting.setting) as found ${wrong} order by 1`,
    [JSON.stringify(pins)],
  );
  return rows.map(({ found }) => found);
}

// Insufficient privilege, a value that is not taken, a setting that cannot be changed now.
const REFUSALS = new Set(['42501', '22023', '55P02']);

const isRefusal = (error: unknown): boolean => REFUSALS.has(String((error as { code?: unknown }).code));
