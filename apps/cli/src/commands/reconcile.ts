import { openQueues } from '@replenish/queues';
import { createLogger, readConfig, requireDatabaseUrl } from '@replenish/runtime';
import type { Command } from '../command.js';

/** Asks the reconciliation workers for a sweep now, instead of at the next period. */
export const reconcile: Command<'reconcile'> = async ({ values, env, say }) => {
  const config = readConfig(env);
  const queues = openQueues({
    redisUrl: config.REDIS_URL,
    databaseUrl: requireDatabaseUrl(config),
    log: createLogger('cli', 'error'),
    hintWaitMs: 5_000,
  });
  try {
    if (!(await queues.hint('sweep', ['by-hand']))) throw new Error('the queue does not answer');
    say(
      values.json
        ? JSON.stringify({ hinted: true })
        : 'a sweep was asked for; due recharges are being looked at',
    );
    return 0;
  } finally {
    await queues.close();
  }
};
