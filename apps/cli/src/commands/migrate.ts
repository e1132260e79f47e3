import { Command } from '@commander-js/extra-typings';
import { type Declare, JSON_ABOUT } from '../command.js';
import { withProgress } from '../progress.js';

/**
 * The command may be repeated, and several may run at the same time. Without Redis it also makes the queues' schema.
 */
export const migrate: Declare = ({ env, say, ...screen }) =>
  new Command('migrate')
    .description('bring the database to the current schema')
    .option('--json', JSON_ABOUT)
    .action(async ({ json }) => {
      const [domain, queues, { readConfig, requireDatabaseUrl }] = await Promise.all([
        import('@replenish/domain'),
        import('@replenish/queues'),
        import('@replenish/runtime'),
      ]);
      const config = readConfig(env);
      const asked = { databaseUrl: requireDatabaseUrl(config), appRole: config.DATABASE_APP_ROLE };
      const reportRole = config.DATABASE_REPORT_ROLE;
      const applied = await withProgress(screen, 'migrating', async () => {
        const names = await domain.migrate({ ...asked, reportRole });
        if (!config.REDIS_URL) await queues.migrateQueues(asked);
        return names;
      });
      if (json) say(JSON.stringify({ applied }));
      else say(applied.length === 0 ? 'nothing to apply' : `applied ${applied.join(', ')}`);
    });
