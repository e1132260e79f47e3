import { type Domain, openDomain } from '@replenish/domain';
import { type Env, masterKeysOf, readConfig, requireDatabaseUrl } from '@replenish/runtime';

/** Opens the domain that the environment or the local fleet names, for as long as a command needs it. */
export async function withDomain<T>(env: Env, work: (domain: Domain) => Promise<T>): Promise<T> {
  const config = readConfig(env);
  const domain = openDomain({
    databaseUrl: requireDatabaseUrl(config),
    poolMax: 2,
    reconcileAfterMs: config.RECONCILE_AFTER_MS,
    providerTimeoutMs: config.PROVIDER_TIMEOUT_MS,
    masterKeys: masterKeysOf(config),
  });
  try {
    return await work(domain);
  } finally {
    await domain.close();
  }
}
