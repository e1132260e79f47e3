/**
 * Settings of a session that the statements, the driver or Prisma rely on. A server, a database or a role may set others:
 * with `datestyle = German` every time was read as null. A session that is opened with these has them, whatever is set
 * elsewhere; only a pooler that drops start-up options, or a SET in the session, can take them away.
 */
const pinned = {
  // Texts that the driver reads and writes.
  client_encoding: 'UTF8',
  datestyle: 'ISO, YMD',
  intervalstyle: 'postgres',
  timezone: 'UTC',
  bytea_output: 'hex',
  extra_float_digits: '1',
  // Texts that Postgres reads.
  standard_conforming_strings: 'on',
  backslash_quote: 'safe_encoding',
  transform_null_equals: 'off',
  search_path: 'public',
  // What a statement sees and may do. A server in recovery stays read-only whatever is set here.
  default_transaction_isolation: 'read committed',
  default_transaction_read_only: 'off',
  default_transaction_deferrable: 'off',
  row_security: 'on',
  session_replication_role: 'origin',
  // Every hot statement looks rows up by key. Its plan is cached at the first calls, when the tables of a new
  // installation are empty and a scan looks cheap; without these it would go on scanning until statistics come.
  enable_seqscan: 'off',
  // A bitmap reads all rows of a key and sorts them where an index has them in order and a page needs twenty.
  enable_bitmapscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  jit: 'off',
} as const;

export type PinnedSetting = keyof typeof pinned;

// Only a superuser may set it, and origin is what everybody else has.
const notSent: readonly PinnedSetting[] = ['session_replication_role', 'client_encoding'];

/** The start-up options that pin them, in the form of libpq's `options`: spaces within a value are escaped. */
export const pinningOptions: string = Object.entries(pinned)
  .filter(([name]) => !notSent.includes(name as PinnedSetting))
  .map(([name, value]) => `-c ${name}=${value.replaceAll(' ', '\\ ')}`)
  .join(' ');

/** What each of them is, as `pg_settings` tells it, for a check of a session. */
export const pinnedSettings: Readonly<Record<PinnedSetting, string>> = pinned;

/** An address whose sessions are pinned. The pins stand behind what the address asks for itself, and win. */
export function pinnedUrl(databaseUrl: string): string {
  const url = new URL(databaseUrl);
  const options = url.searchParams.get('options') ?? '';
  url.searchParams.set('options', `${options} ${pinningOptions}`.trim());
  return url.href;
}
