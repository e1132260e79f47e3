import { createHash, randomBytes } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';

const ISSUER = 'Replenish';
// 160 bits, the length of the hash, as RFC 4226 section 4 recommends.
const SEED_BYTES = 20;
const RECOVERY_CODES = 10;
const PERIOD_S = 30;
// Codes of the previous and of the next time step are accepted too, because clocks differ (RFC 6238 section 5.2).
const WINDOW = 1;

const totpOf = (name: string, seed: string): TOTP =>
  new TOTP({
    ...{ issuer: ISSUER, label: name, algorithm: 'SHA1', digits: 6, period: PERIOD_S },
    secret: Secret.fromBase32(seed),
  });

/** A new seed in base32. */
export const newSeed = (): string => new Secret({ size: SEED_BYTES }).base32;

/** The address that an authenticator reads as a QR code: `otpauth://totp/...`. */
export const totpUriOf = (name: string, seed: string): string => totpOf(name, seed).toString();

/** The time step that a code belongs to. Null if it is no code of this seed within the window. */
export function stepOf(name: string, seed: string, code: string, now: Date): bigint | null {
  const totp = totpOf(name, seed);
  const timestamp = now.getTime();
  const delta = totp.validate({ token: code, timestamp, window: WINDOW });
  return delta === null ? null : BigInt(totp.counter({ timestamp }) + delta);
}

/** Codes that each serve once instead of a code of the authenticator. They have 80 random bits. */
export const newRecoveryCodes = (): string[] =>
  Array.from({ length: RECOVERY_CODES }, () =>
    randomBytes(10)
      .toString('hex')
      .replace(/(.{5})(?=.)/g, '$1-'),
  );

export const recoveryHash = (code: string): string =>
  createHash('sha256').update(code.toLowerCase().replace(/[\s-]/g, '')).digest('hex');

export const isTotpForm = (code: string): boolean => /^\d{6}$/.test(code);
