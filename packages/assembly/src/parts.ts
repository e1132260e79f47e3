import { type Frame, newId, requireDatabaseUrl } from '@replenish/runtime';

/** The options of `openDomain` that follow from the configuration of a process. */
export const domainOptions = ({ config, log }: Pick<Frame, 'config' | 'log'>) => ({
  databaseUrl: requireDatabaseUrl(config),
  poolMax: config.DATABASE_POOL_MAX,
  newerSchema: config.DATABASE_NEWER_SCHEMA,
  reconcileAfterMs: config.RECONCILE_AFTER_MS,
  sweepPeriodMs: config.RECONCILE_PERIOD_MS,
  providerTimeoutMs: config.PROVIDER_TIMEOUT_MS,
  ruleLookMs: config.RULE_LOOK_MS,
  ruleBackoffMs: config.RULE_BACKOFF_MS,
  ruleCaps: ruleCapsOf(config),
  approvalExpiresMs: config.APPROVAL_EXPIRES_MS,
  approvalAbove: limitsIn(config.APPROVAL_ABOVE),
  approvesFirst: config.APPROVE_FIRST_RECHARGE === 'true',
  newId,
  onConnectionLost: (error: Error) => log.warn({ err: error }, 'lost a database connection'),
  onRefused: (transactionId: string, error: Error) =>
    log.error({ err: error, transactionId }, 'the database refuses what is reported of a recharge'),
  onExcessRights: config.NODE_ENV === 'production' ? (words: string) => log.warn(words) : undefined,
});

/** The caps over many rules. A scope without a setting has none. */
const ruleCapsOf = ({ RULE_CAPS_OWNER, RULE_CAPS_SOURCE, RULE_CAPS_FLEET }: Frame['config']) => ({
  ...(RULE_CAPS_OWNER && { owner: RULE_CAPS_OWNER }),
  ...(RULE_CAPS_SOURCE && { source: RULE_CAPS_SOURCE }),
  ...(RULE_CAPS_FLEET && { fleet: RULE_CAPS_FLEET }),
});

/** `CNY:100000,USD:50000` as limits per currency. */
const limitsIn = (text = ''): Record<string, bigint> =>
  Object.fromEntries(
    text
      .split(',')
      .filter(Boolean)
      .map((one) => [one.slice(0, 3), BigInt(one.slice(4))]),
  );

/** The options of `openQueues`. Each provider has queues of its own. */
export const queueOptions = (
  { config, log, registry }: Pick<Frame, 'config' | 'log' | 'registry'>,
  providers: readonly string[] = [],
) => ({
  redisUrl: config.REDIS_URL,
  prefix: config.QUEUE_PREFIX,
  databaseUrl: requireDatabaseUrl(config),
  log,
  registry,
  providers,
});
