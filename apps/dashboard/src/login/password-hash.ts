import { BadConfiguration, type Config, faultOfHash } from '@replenish/runtime';

type Settings = Pick<Config, 'NODE_ENV' | 'DASHBOARD_HOST' | 'DASHBOARD_PASSWORD_HASH' | 'TRUST_PROXY'>;

const LOOPBACK = /^(127(\.\d{1,3}){3}|::1|localhost)$/;

/** The hash of the password that opens the board. @throws BadConfiguration where nobody may look in */
export function requirePasswordHash(config: Settings): string {
  const hash = config.DASHBOARD_PASSWORD_HASH;
  const made = '`npx replenish dashboard-password` makes one';
  if (!hash) throw new BadConfiguration(`DASHBOARD_PASSWORD_HASH is not set: ${made}`);
  const fault = faultOfHash(hash);
  if (fault === 'malformed') throw new BadConfiguration(`DASHBOARD_PASSWORD_HASH is no hash: ${made}`);
  if (config.NODE_ENV !== 'production') return hash;
  if (fault === 'cheap')
    throw new BadConfiguration(`DASHBOARD_PASSWORD_HASH is too cheap to try passwords on: ${made}`);
  // It speaks plain HTTP: what ends TLS stands beside it, or is named.
  if (!LOOPBACK.test(config.DASHBOARD_HOST) && !config.TRUST_PROXY)
    throw new BadConfiguration(
      `the password would travel in the clear: let DASHBOARD_HOST be 127.0.0.1, or name the proxy in TRUST_PROXY`,
    );
  return hash;
}
