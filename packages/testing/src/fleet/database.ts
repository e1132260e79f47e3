import { randomBytes } from 'node:crypto';
import { execute, withDatabase } from './server.js';

export type TestDatabase = Readonly<{
  /** As the superuser, who owns it. */
  url: string;
  /** As the role of the processes, which owns nothing. Unset: they run as the superuser. */
  appUrl?: string;
  /** Drops it; kept when the file failed (`passed` false), so that its rows can be read where the server is one's own. */
  release: (passed?: boolean) => Promise<void>;
}>;

/** A database of one's own, cloned from the migrated template in some 50 ms; `migrated: false` gives an empty one. */
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
  await execute(server, `create database ${name} template ${migrated ? template : 'template1'}`);
  return {
    url: withDatabase(server, name),
    appUrl: withDatabase(app, name),
    release: async (passed = true) => {
      if (passed) await execute(server, `drop database if exists ${name} with (force)`);
    },
  };
}
