import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { APP_ROLE } from '@replenish/runtime/embedded-postgres';

const launcher = join(import.meta.dirname, '../../../../apps/cli/bin/replenish.mjs');

/**
 * Migrates as an operator does, with a role for the processes. It runs in a process of its own, because the schema
 * engine starts a timer of ten seconds. Jest's own process would wait for that timer after a short run.
 */
export async function migrateAsOperator(ownerUrl: string): Promise<void> {
  const env = {
    PATH: process.env.PATH,
    NODE_ENV: 'test',
    DATABASE_URL: ownerUrl,
    DATABASE_APP_ROLE: APP_ROLE,
    // The settings of a fleet that runs on this machine must not apply.
    REPLENISH_DIR: '/nowhere',
  };
  await promisify(execFile)(process.execPath, [launcher, 'migrate'], { env });
}
