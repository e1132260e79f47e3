import pg from 'pg';

export const APP_ROLE = 'replenish_app';

/**
 * Creates the role of the processes if it is missing, and sets its password. The password has only letters, digits, -
 * and _.
 */
export async function ensureAppRole(ownerUrl: string, password: string): Promise<void> {
  const client = new pg.Client({ connectionString: ownerUrl, connectionTimeoutMillis: 5_000 });
  client.on('error', () => {});
  await client.connect();
  try {
    const { rows } = await client.query<{ isStandby: boolean; isThere: boolean }>(
      `select pg_is_in_recovery() as "isStandby",
         exists(select from pg_roles where rolname = '${APP_ROLE}') as "isThere"`,
    );
    const { isStandby, isThere } = rows[0]!;
    // A standby is read-only and copies the roles of its primary.
    if (isStandby) return;
    if (!isThere) await client.query(`create role ${APP_ROLE}`);
    await client.query(`alter role ${APP_ROLE} with login nosuperuser noinherit password '${password}'`);
  } finally {
    await client.end().catch(() => {});
  }
}
