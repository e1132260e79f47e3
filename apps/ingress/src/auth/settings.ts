import { BadConfiguration, type Config, readTogether } from '@replenish/runtime';
import { trustedProxies } from '../server/trusted-proxies.js';
import type { AuthOptions } from './caller.js';
import type { TokenIssuer } from './tokens.js';

export type AuthSettings = AuthOptions &
  Readonly<{
    /** Addresses of the proxies whose X-Forwarded-For is believed. False when there is none. */
    trustProxy: readonly string[] | false;
  }>;

/** @throws BadConfiguration when a setting of the token issuer is missing, or a proxy is not an address */
export function authSettings(config: Config): AuthSettings {
  const [tokenIssuer, trustProxy] = readTogether(
    () => tokenIssuerFrom(config),
    () => config.TRUST_PROXY !== undefined && trustedProxies(config.TRUST_PROXY),
  );
  return { isProduction: config.NODE_ENV === 'production', tokenIssuer, now: Date.now, trustProxy };
}

function tokenIssuerFrom({ OAUTH_ISSUER, OAUTH_AUDIENCE, OAUTH_JWKS_URL }: Config): TokenIssuer | null {
  if (!OAUTH_ISSUER && !OAUTH_AUDIENCE && !OAUTH_JWKS_URL) return null;
  if (OAUTH_ISSUER && OAUTH_AUDIENCE && OAUTH_JWKS_URL)
    return { issuer: OAUTH_ISSUER, audience: OAUTH_AUDIENCE, jwksUrl: OAUTH_JWKS_URL };
  throw new BadConfiguration('OAUTH_ISSUER, OAUTH_AUDIENCE and OAUTH_JWKS_URL go together: set all or none');
}
