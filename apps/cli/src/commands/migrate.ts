import { Command } from '@commander-js/extra-typings';
import { type Declare, JSON_ABOUT } from '../command.js';
import { withProgress } from '../progress.js';

/** It may be repeated, and several may run at the same time. */
export const migrate: Declare = ({ env, say, ...screen }) =>
  new Command('migrate')
    .description('bring the database to the current schema')
    .option('--json', JSON_ABOUT)
    .action(async ({ json }) => {
      const [domain, { readConfig, requireDatabaseUrl }] = await Promise.all([
        import('@replenish/domain'),
        import('@replenish/runtime'),
      ]);
      const databaseUrl = requireDatabaseUrl(readConfig(env));
      const applied = await withProgress(screen, 'migrating', () => domain.migrate({ databaseUrl }));
      if (json) say(JSON.stringify({ applied }));
      else say(applied.length === 0 ? 'nothing to apply' : `applied ${applied.join(', ')}`);
    });
