import type { Domain } from '@replenish/domain';
import type { Queues } from '@replenish/queues';
import type { Env } from '@replenish/runtime';

/**
 * Opens the domain for the time of a command. The database is the one in the environment, or else that of the local
 * fleet.
 */
export async function withDomain<T>(env: Env, work: (domain: Domain) => Promise<T>): Promise<T> {
  const { createLogger, masterKeysOf, readConfig } = await import('@replenish/runtime');
  const { domainOptions } = await import('@replenish/assembly');
  const { openDomain } = await import('@replenish/domain');
  const config = readConfig(env);
  // Standard output holds the command's answer, so nothing is logged there. The thrown error reports a fault.
  const log = createLogger('cli', 'silent');
  const domain = openDomain({
    ...domainOptions({ config, log }),
    poolMax: 2,
    masterKeys: masterKeysOf(config),
  });
  try {
    return await work(domain);
  } finally {
    await domain.close();
  }
}

// A command waits longer for a queue than a request does, because a lost hint would delay the recharge by a sweep
// period.
const HINT_WAIT_MS = 5_000;

/** Opens the queues for the time of a command. */
export async function withQueues<T>(env: Env, work: (queues: Queues) => Promise<T>): Promise<T> {
  const { createLogger, openRegistry, readConfig } = await import('@replenish/runtime');
  const { queueOptions } = await import('@replenish/assembly');
  const { openQueues } = await import('@replenish/queues');
  const frame = {
    config: readConfig(env),
    log: createLogger('cli', 'silent'),
    registry: openRegistry('cli'),
  };
  const queues = openQueues({ ...queueOptions(frame), hintWaitMs: HINT_WAIT_MS });
  try {
    return await work(queues);
  } finally {
    await queues.close();
  }
}

type Opened = import('@replenish/providers').Providers & { methodsOf: (name: string) => string[] };

/** Opens the configured providers for the time of a command. */
export async function withProviders<T>(env: Env, work: (providers: Opened) => Promise<T>): Promise<T> {
  const { readConfig } = await import('@replenish/runtime');
  const { openProviders, paymentMethods } = await import('@replenish/providers');
  const providers = openProviders(readConfig(env));
  const methodsOf = (name: string) =>
    paymentMethods.filter((method) => providers.route(method)?.provider === name);
  try {
    return await work({ ...providers, methodsOf });
  } finally {
    await providers.close();
  }
}
