import { BadConfiguration, type Config, faultOfHash } from '@replenish/runtime';

type Settings = Pick<Config, 'NODE_ENV' | 'DASHBOARD_HOST' | 'DASHBOARD_PASSWORD_HASH' | 'TRUST_PROXY'>;

const LOOPBACK = /^(127(\.\d{1,3}){3}|::1|localhost)$/;

/**
 * The hash of the dashboard's password.
 * @throws BadConfiguration when it is missing, invalid or too cheap, or when the password would be sent unencrypted
 */
export function requirePasswordHash(config: Settings): string {
  const hash = config.DASHBOARD_PASSWORD_HASH;
  const made = '`npx replenish dashboard-password` makes one';
  if (!hash) throw new BadConfiguration(`DASHBOARD_PASSWORD_HASH is not set: ${made}`);
  const fault = faultOfHash(hash);
  if (fault === 'malformed') throw new BadConfiguration(`DASHBOARD_PASSWORD_HASH is no hash: ${made}`);
  if (config.NODE_ENV !== 'production') return hash;
  if (fault === 'cheap')
    throw new BadConfiguration(`DASHBOARD_PASSWORD_HASH is too cheap to try passwords on: ${made}`);
  // The dashboard serves plain HTTP. A proxy that terminates TLS must run on the same machine or be named in
  // TRUST_PROXY.
  if (!LOOPBACK.test(config.DASHBOARD_HOST) && !config.TRUST_PROXY)
    throw new BadConfiguration(
      `the password would travel in the clear: let DASHBOARD_HOST be 127.0.0.1, or name the proxy in TRUST_PROXY`,
    );
  return hash;
}
