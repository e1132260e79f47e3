import { Command } from '@commander-js/extra-typings';
import { type Declare, JSON_ABOUT } from '../command.js';

export const reconcile: Declare = ({ env, say }) =>
  new Command('reconcile')
    .description('ask the reconciliation workers for a sweep of due recharges now')
    .option('--json', JSON_ABOUT)
    .action(async ({ json }) => {
      const [{ openQueues }, { createLogger, readConfig, requireDatabaseUrl }] = await Promise.all([
        import('@replenish/queues'),
        import('@replenish/runtime'),
      ]);
      const config = readConfig(env);
      const queues = openQueues({
        redisUrl: config.REDIS_URL,
        databaseUrl: requireDatabaseUrl(config),
        log: createLogger('cli', 'error'),
        hintWaitMs: 5_000,
      });
      try {
        if (!(await queues.hint('sweep', ['by-hand']))) throw new Error('the queue does not answer');
      } finally {
        await queues.close();
      }
      if (json) say(JSON.stringify({ hinted: true }));
      else say('a sweep was asked for; due recharges are being looked at');
    });
