import { BadConfiguration, type Config, readTogether } from '@replenish/runtime';
import { trustedProxies } from '../server/trusted-proxies.js';
import type { AuthOptions } from './caller.js';
import type { TokenIssuer } from './tokens.js';

export type AuthSettings = AuthOptions &
  Readonly<{
    /** Proxies whose X-Forwarded-For is believed; false: nobody's. */
    trustProxy: readonly string[] | false;
  }>;

/** @throws BadConfiguration when the token issuer is only half named, or a proxy is none */
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
