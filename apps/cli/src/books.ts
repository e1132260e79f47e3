import type { Domain } from '@replenish/domain';
import type { Queues } from '@replenish/queues';
import type { Env } from '@replenish/runtime';

/** Opens the domain that the environment or the local fleet names, for as long as a command needs it. */
export async function withDomain<T>(env: Env, work: (domain: Domain) => Promise<T>): Promise<T> {
  const [{ domainOptions }, { openDomain }, { createLogger, masterKeysOf, readConfig }] = await Promise.all([
    import('@replenish/assembly'),
    import('@replenish/domain'),
    import('@replenish/runtime'),
  ]);
  const config = readConfig(env);
  // Standard output belongs to the command's answer; what fails is said by its own error.
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

// A person waits for it, and a lost hint would cost them a period.
const HINT_WAIT_MS = 5_000;

/** The same for the queues. */
export async function withQueues<T>(env: Env, work: (queues: Queues) => Promise<T>): Promise<T> {
  const [{ queueOptions }, { openQueues }, { createLogger, openRegistry, readConfig }] = await Promise.all([
    import('@replenish/assembly'),
    import('@replenish/queues'),
    import('@replenish/runtime'),
  ]);
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
