import { createRemoteJWKSet, errors, jwtVerify } from 'jose';
import { Problem } from '../http/problem.js';

export type TokenIssuer = Readonly<{ issuer: string; audience: string; jwksUrl: string }>;

/** Who an access token stands for; `scope` as the issuer granted it, or null. */
export type TokenHolder = Readonly<{ subject: string; scope: string | null }>;

// Public keys only: with a shared secret (HS*) whoever can verify a token could also make one, and `none` signs nothing.
const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA', 'Ed25519'];
const CLOCKS_APART_SECONDS = 5;
const JWKS_TIMEOUT_MS = 3_000;

/**
 * OAuth 2 access tokens as JWTs. The issuer's keys are fetched once and kept ten minutes; an unknown key id asks again,
 * at most every thirty seconds (jose's defaults).
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
  /** Null for a token that is not good. @throws Problem 503 when the issuer's keys cannot be had */
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

/** As opposed to one of the way to the issuer: jose says so with a plain JOSEError, a time-out, or fetch's own error. */
const isTokensFault = (error: unknown): boolean =>
  error instanceof errors.JOSEError &&
  ![errors.JOSEError.code, errors.JWKSTimeout.code, errors.JWKSInvalid.code].includes(error.code);
