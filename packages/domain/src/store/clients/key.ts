import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import { type ApprovalLimits, limitsFromJson } from '../../core/access/approval.js';
import type { Ceiling } from '../ceilings/ceiling.js';
import type { Database } from '../database/database.js';
import { addressTest } from './addresses.js';
import type { Vault } from './vault.js';

export type Key = Readonly<{
  keyId: string;
  clientId: string;
  clientName: string;
  env: string;
  scopes: readonly string[];
  accounts: readonly string[];
  allowS3: boolean;
  allowBearer: boolean;
  requireSignature: boolean;
  /** False for a key whose secret was never sealed. Such a key can only be sent as a bearer token. */
  canSign: boolean;
  rateLimitPerMinute: number | null;
  ipAllow: readonly string[];
  /** The ceiling per currency. */
  ceilings: Readonly<Record<string, Ceiling>>;
  /** Amounts strictly above these limits need an approval. */
  approvalAbove: ApprovalLimits;
  oauthSubject: string | null;
  createdAt: Date;
  expiresAt: Date | null;
  lockedUntil: Date | null;
  revokedAt: Date | null;
}>;

/** A key, with functions that test the caller's secret or signature. It does not show the secrets themselves. */
export type KeyVerifier = Readonly<{
  key: Key;
  /** Whether a presented secret is the key's, in constant time. */
  isSecret: (presented: string) => boolean;
  /** HMAC-SHA256 of a message under each secret that is valid now. Empty for a key that cannot sign. */
  hmacs: (message: string) => Buffer[];
  /** Whether the key may be used from an address. */
  isAllowedFrom: (address: string | undefined) => boolean;
  /** The end of the key's lock at an origin (an address or network, as security rules name it). Null without a lock. */
  lockedUntil: (origin: string) => Date | null;
}>;

export type KeyRow = Awaited<ReturnType<Database['apiKey']['findMany']>>[number] & {
  client: { name: string; env: string };
};

export type KnownRow = KeyRow & { locks: readonly { origin: string; until: Date }[] };

/**
 * The context that a sealed secret is bound to. It names the key and no column, because a rotation moves the secret.
 */
export const contextOf = (keyId: string): string => `api_key ${keyId}`;

export function verifierOf(row: KnownRow | null, vault: Vault | null, now: () => Date): KeyVerifier | null {
  if (!row || row.revokedAt) return null;
  const current = Buffer.from(row.secretHash);
  const previous = row.previousSecretHash && Buffer.from(row.previousSecretHash);
  const overlaps = () => row.previousValidUntil !== null && row.previousValidUntil > now();
  const isAllowedFrom = addressTest(row.ipAllow);
  let opened: { current: string[]; previous: string[] } | undefined;
  return {
    key: keyOf(row),
    isAllowedFrom,
    lockedUntil: (origin) => {
      const here = row.locks.find((lock) => lock.origin === origin)?.until ?? null;
      const later = here && row.lockedUntil && row.lockedUntil > here ? row.lockedUntil : here;
      const until = later ?? row.lockedUntil;
      return until && until > now() ? until : null;
    },
    isSecret: (presented) => {
      const given = hash('sha256', presented, 'buffer');
      const isCurrent = timingSafeEqual(given, current);
      return isCurrent || (previous !== null && timingSafeEqual(given, previous) && overlaps());
    },
    hmacs: (message) => {
      opened ??= {
        current: openOne(vault, row.id, row.secretSealed),
        previous: openOne(vault, row.id, row.previousSecretSealed),
      };
      const secrets = overlaps() ? [...opened.current, ...opened.previous] : opened.current;
      return secrets.map((secret) => createHmac('sha256', secret).update(message).digest());
    },
  };
}

function openOne(vault: Vault | null, keyId: string, sealed: Uint8Array | null): string[] {
  if (!sealed) return [];
  if (!vault) throw new Error(`the secret of ${keyId} is sealed: set MASTER_KEYS`);
  return [vault.open(sealed, contextOf(keyId))];
}

export const keyOf = (row: KeyRow): Key => ({
  keyId: row.id,
  clientId: row.clientId,
  clientName: row.client.name,
  env: row.client.env,
  scopes: row.scopes,
  accounts: row.accounts,
  allowS3: row.allowS3,
  allowBearer: row.allowBearer,
  requireSignature: row.requireSignature,
  canSign: row.secretSealed !== null,
  rateLimitPerMinute: row.rateLimitPerMinute,
  ipAllow: row.ipAllow,
  ceilings: ceilingsOf(row.ceilings),
  approvalAbove: limitsFromJson(row.approvalAbove),
  oauthSubject: row.oauthSubject,
  createdAt: row.createdAt,
  expiresAt: row.expiresAt,
  lockedUntil: row.lockedUntil,
  revokedAt: row.revokedAt,
});

type StoredCeilings = Readonly<Record<string, Readonly<{ requestMinor?: string; dayMinor?: string }>>>;

/** Amounts are stored as text, because a JSON number is not exact beyond 2^53. */
const ceilingsOf = (stored: unknown): Record<string, Ceiling> =>
  Object.fromEntries(
    Object.entries(stored as StoredCeilings).map(([currency, { requestMinor, dayMinor }]) => [
      currency,
      { requestMinor: minorOf(requestMinor), dayMinor: minorOf(dayMinor) },
    ]),
  );

const minorOf = (text: string | undefined | null): bigint | null => (text == null ? null : BigInt(text));
