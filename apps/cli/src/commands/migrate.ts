import { Command } from '@commander-js/extra-typings';
import { type Declare, JSON_ABOUT } from '../command.js';

/** Harmless to repeat, and for several to run at once. */
export const migrate: Declare = ({ env, say }) =>
  new Command('migrate')
    .description('bring the database to the current schema')
    .option('--json', JSON_ABOUT)
    .action(async ({ json }) => {
      const [domain, { readConfig, requireDatabaseUrl }] = await Promise.all([
        import('@replenish/domain'),
        import('@replenish/runtime'),
      ]);
      const applied = await domain.migrate({ databaseUrl: requireDatabaseUrl(readConfig(env)) });
      if (json) say(JSON.stringify({ applied }));
      else say(applied.length === 0 ? 'nothing to apply' : `applied ${applied.join(', ')}`);
    });
