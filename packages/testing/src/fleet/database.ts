import { randomBytes } from 'node:crypto';
import { execute, withDatabase } from './server.js';

export type TestDatabase = Readonly<{
  /** The address for the superuser, who owns the database. */
  url: string;
  /** The address for the role of the processes, which owns nothing. Unset: they run as the superuser. */
  appUrl?: string;
  /**
   * Drops the database. If the file failed (`passed` is false) the database is kept. On a server that outlives the run
   * its rows can be read.
   */
  release: (passed?: boolean) => Promise<void>;
}>;

/** Makes a database by cloning the migrated template, which takes about 50 ms. `migrated: false` makes an empty one. */
export async function createDatabase({
  migrated = true,
}: {
  migrated?: boolean;
} = {}): Promise<TestDatabase> {
  const {
    TEST_POSTGRES_URL: server,
    TEST_POSTGRES_APP_URL: app,
    TEST_POSTGRES_TEMPLATE: template,
  } = process.env;
  if (!server || !app || !template)
    throw new Error('no test server: run tests through Jest and its global setup');
  const name = `test_${randomBytes(6).toString('hex')}`;
  await execute(
    server,
    `create database ${name} template ${migrated ? template : 'template1'} strategy file_copy`,
  );
  return {
    url: withDatabase(server, name),
    appUrl: withDatabase(app, name),
    release: async (passed = true) => {
      if (passed) await execute(server, `drop database if exists ${name} with (force)`);
    },
  };
}
