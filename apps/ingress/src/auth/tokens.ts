import { createRemoteJWKSet, errors, jwtVerify } from 'jose';
import { Problem } from '../http/answers/problem.js';

export type TokenIssuer = Readonly<{ issuer: string; audience: string; jwksUrl: string }>;

/** The subject of an access token. `scope` is the issuer's text, or null. */
export type TokenHolder = Readonly<{ subject: string; scope: string | null }>;

// Only algorithms with public keys are accepted. With a shared secret (HS*) each party that verifies tokens could also
// make them, and `none` signs nothing.
const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA', 'Ed25519'];
const CLOCKS_APART_SECONDS = 5;
const JWKS_TIMEOUT_MS = 3_000;

/**
 * Verifies OAuth 2 access tokens in the form of JWTs. The keys of the issuer are kept for ten minutes. A token with an
 * unknown key id causes another fetch, at most every thirty seconds (defaults of jose).
 */
export function openTokens({ issuer, audience, jwksUrl }: TokenIssuer) {
  const keys = createRemoteJWKSet(new URL(jwksUrl), { timeoutDuration: JWKS_TIMEOUT_MS });
  const options = {
    issuer,
    audience,
    algorithms: ALGORITHMS,
    clockTolerance: CLOCKS_APART_SECONDS,
    requiredClaims: ['sub', 'exp'],
  };
  /**
   * The result is null for a token that is not valid.
   * @throws Problem 503 when the keys of the issuer cannot be loaded
   */
  return async (token: string): Promise<TokenHolder | null> => {
    try {
      const { payload } = await jwtVerify(token, keys, options);
      if (typeof payload.sub !== 'string') return null;
      return { subject: payload.sub, scope: typeof payload.scope === 'string' ? payload.scope : null };
    } catch (error) {
      if (isTokensFault(error)) return null;
      throw new Problem('INTERNAL_ERROR', "the token issuer's public keys cannot be loaded; try again", {
        status: 503,
        headers: { 'retry-after': '5' },
      });
    }
  };
}

/**
 * Whether the token is at fault, and not the connection to its issuer. For faults of the connection, jose throws a
 * plain JOSEError, a time-out, or the error of fetch.
 */
const isTokensFault = (error: unknown): boolean =>
  error instanceof errors.JOSEError &&
  ![errors.JOSEError.code, errors.JWKSTimeout.code, errors.JWKSInvalid.code].includes(error.code);
