import { migrate as applyMigrations } from '@replenish/domain';
import { readConfig, requireDatabaseUrl } from '@replenish/runtime';
import type { Command } from '../command.js';

/** Brings the database to the current schema. Harmless to repeat, and for several to run at once. */
export const migrate: Command<'migrate'> = async ({ values, env, say }) => {
  const applied = await applyMigrations({ databaseUrl: requireDatabaseUrl(readConfig(env)) });
  if (values.json) say(JSON.stringify({ applied }));
  else say(applied.length === 0 ? 'nothing to apply' : `applied ${applied.join(', ')}`);
  return 0;
};
