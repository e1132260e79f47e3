import type { Domain } from '@replenish/domain';
import type { Env } from '@replenish/runtime';

/** Opens the domain that the environment or the local fleet names, for as long as a command needs it. */
export async function withDomain<T>(env: Env, work: (domain: Domain) => Promise<T>): Promise<T> {
  const [{ openDomain }, { createLogger, domainOptions, masterKeysOf, readConfig }] = await Promise.all([
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
