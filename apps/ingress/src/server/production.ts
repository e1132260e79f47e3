import { type Domain, StoreUnavailable } from '@replenish/domain';
import { BadConfiguration, type Config } from '@replenish/runtime';
import { trustsEverybody } from './trusted-proxies.js';

/** Refuses configurations that are not safe in production. @throws BadConfiguration */
export function refuseUnsafeConfiguration(config: Config): void {
  if (config.NODE_ENV !== 'production') return;
  const faults: string[] = [];
  if (!config.TLS_CERT_FILE && !config.TRUST_PROXY)
    faults.push('secrets would travel in the clear: set TLS_CERT_FILE and TLS_KEY_FILE, or TRUST_PROXY');
  if (config.SANDBOX_WEBHOOK_SECRET)
    faults.push('SANDBOX_WEBHOOK_SECRET is set: with it anybody could report that money came');
  if (config.TRUST_PROXY && trustsEverybody(config.TRUST_PROXY))
    faults.push('TRUST_PROXY names every address: any caller could claim another address');
  if (config.OAUTH_JWKS_URL && new URL(config.OAUTH_JWKS_URL).protocol !== 'https:')
    faults.push('OAUTH_JWKS_URL is not https: somebody on the network path could replace the keys');
  if (faults.length > 0)
    throw new BadConfiguration(`the configuration is not safe for production:\n${faults.join('\n')}`);
}

/**
 * Refuses to run in production with a valid key of the demo client, because its secret is in a file of a developer's
 * machine.
 * @throws BadConfiguration
 */
export async function refuseDemoClient(
  clients: Pick<Domain['clients'], 'list'>,
  config: Pick<Config, 'NODE_ENV'>,
): Promise<void> {
  if (config.NODE_ENV !== 'production') return;
  const keys = await clients.list().catch((error: unknown) => {
    // A start must not wait for the database. In production test keys are refused at each call anyway.
    if (error instanceof StoreUnavailable) return [];
    throw error;
  });
  const demo = keys.find((key) => key.clientName === 'demo' && key.revokedAt === null);
  if (demo)
    throw new BadConfiguration(`the demo client still has a key: npx replenish client revoke ${demo.keyId}`);
}
