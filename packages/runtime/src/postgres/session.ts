import type { ClientBase } from 'pg';

/** The database answers but is not suitable. The message says why and what to do. */
export class UnfitDatabase extends Error {
  override readonly name = 'UnfitDatabase';
}

/**
 * Settings of a session by their names in lower case, each with its allowed values. If a session has another value, the first allowed one is set.
 * Settings that the server's version does not have are skipped.
 */
export type Pins = Readonly<Record<string, readonly [string, ...string[]]>>;

/**
 * Settings that this code and its libraries rely on. A server, a database, a role or an address may set other values.
 * Then the driver misreads data: a time becomes null, or a null in an array becomes text. default_transaction_read_only
 * is not pinned. Operators use it to stop writes, also on full disks, and the readiness check reports it.
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
  // Any other value would disable the triggers that protect the data.
  session_replication_role: ['origin'],
  standard_conforming_strings: ['on'],
  // remote_apply is stronger than `on`, so it is allowed.
  synchronous_commit: ['on', 'remote_apply'],
  timezone: ['UTC'],
  transaction_timeout: ['0'],
  transform_null_equals: ['off'],
};

/**
 * Settings for statements that look rows up by key. Their plans are cached at the first calls, when the tables of a new
 * installation are empty and a scan looks cheap. Without the first three settings they would keep scanning until
 * statistics are collected.
 */
export const planner: Pins = {
  enable_seqscan: ['off'],
  enable_hashjoin: ['off'],
  enable_mergejoin: ['off'],
  // A bitmap scan reads all rows of a key and sorts them. The index already has them in order, and a page needs only
  // twenty.
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

// A join of the pins with the settings took three times as long, because sessions of ours use no hash joins.
const wrong = `
  from (select $1::jsonb as pins offset 0) given, pg_settings setting
  where not given.pins -> lower(setting.name) ? setting.setting`;

/** Sets every setting that differs from its pin. @throws UnfitDatabase when this role may not set it */
export async function pin(client: Pick<ClientBase, 'query'>, pins: Pins): Promise<void> {
  try {
    await client.query(
      `select set_config(setting.name, given.pins -> lower(setting.name) ->> 0, false) ${wrong}`,
      [JSON.stringify(pins)],
    );
  } catch (error) {
    if (!isRefusal(error)) throw error;
    throw new UnfitDatabase(`this role cannot set up its session: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** The settings that differ from their pins, with their values. Empty: none. */
export async function unpinned(client: Pick<ClientBase, 'query'>, pins: Pins): Promise<string[]> {
  const { rows } = await client.query<{ found: string }>(
    `select format('%s is %s', setting.name, setting.setting) as found ${wrong} order by 1`,
    [JSON.stringify(pins)],
  );
  return rows.map(({ found }) => found);
}

// insufficient_privilege, invalid_parameter_value, cant_change_runtime_param.
const REFUSALS = new Set(['42501', '22023', '55P02']);

const isRefusal = (error: unknown): boolean => REFUSALS.has(String((error as { code?: unknown }).code));
