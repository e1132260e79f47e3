import { BadConfiguration, type Config } from '@replenish/runtime';

type LineSettings = Pick<Config, 'NODE_ENV' | 'DASHBOARD_HOST' | 'TRUST_PROXY'>;

const LOOPBACK = /^(127(\.\d{1,3}){3}|::1|localhost)$/;

/**
 * The dashboard serves plain HTTP. A proxy that terminates TLS must run on the same machine or be named in TRUST_PROXY.
 * @throws BadConfiguration when passwords would be sent unencrypted in production
 */
export function requirePrivateLine({ NODE_ENV, DASHBOARD_HOST, TRUST_PROXY }: LineSettings): void {
  if (NODE_ENV === 'production' && !LOOPBACK.test(DASHBOARD_HOST) && !TRUST_PROXY)
    throw new BadConfiguration(
      'passwords would travel in the clear: let DASHBOARD_HOST be 127.0.0.1, or name the proxy in TRUST_PROXY',
    );
}
