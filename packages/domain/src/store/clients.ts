import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Database } from './database.js';
import { persist } from './failure.js';

export type NewClient = Readonly<{
  name: string;
  scopes: readonly string[];
  accounts: readonly string[];
  env: string;
  allowS3?: boolean;
  requireSignature?: boolean;
  rateLimitPerMinute?: number | null;
}>;

/** Shown once: only a hash of the secret is kept. */
export type NewKey = Readonly<{ clientId: string; keyId: string; secret: string }>;

export type Key = Readonly<{
  keyId: string;
  clientId: string;
  clientName: string;
  env: string;
  scopes: readonly string[];
  accounts: readonly string[];
  allowS3: boolean;
  requireSignature: boolean;
  rateLimitPerMinute: number | null;
  createdAt: Date;
  revokedAt: Date | null;
}>;

export interface Clients {
  create(client: NewClient): Promise<NewKey>;
  list(): Promise<Key[]>;
  /** False when there is no such key. */
  revoke(keyId: string): Promise<boolean>;
  /** A new secret; the one before is good for another 24 hours, so that both ends can change without a gap. */
  rotate(keyId: string): Promise<NewKey | null>;
  /** The key with a test of a presented secret, in constant time. Null for a key that is not there or revoked. */
  find(keyId: string): Promise<{ key: Key; isSecret: (presented: string) => boolean } | null>;
}

const ROTATION_OVERLAP_MS = 24 * 3_600_000;

const hashOf = (secret: string): Buffer => createHash('sha256').update(secret, 'utf8').digest();
const newSecret = (): string => `rs_${randomBytes(32).toString('base64url')}`;

export function openClients(db: Database, options: { newId: () => string; now: () => Date }): Clients {
  return {
    create: (client) => create(db, client, options.newId()),
    list: async () => {
      const rows = await persist(() =>
        db.apiKey.findMany({ include: { client: true }, orderBy: { createdAt: 'asc' } }),
      );
      return rows.map(keyOf);
    },
    revoke: async (keyId) => {
      const { count } = await persist(() =>
        db.apiKey.updateMany({ where: { id: keyId, revokedAt: null }, data: { revokedAt: options.now() } }),
      );
      return count === 1;
    },
    rotate: (keyId) => rotate(db, keyId, options.now()),
    find: (keyId) => find(db, keyId, options.now),
  };
}

async function create(db: Database, client: NewClient, clientId: string): Promise<NewKey> {
  const secret = newSecret();
  const keyId = `rk_${client.env}_${randomBytes(9).toString('hex')}`;
  await persist(() =>
    db.client.create({
      data: {
        id: clientId,
        name: client.name,
        env: client.env,
        keys: {
          create: {
            id: keyId,
            secretHash: new Uint8Array(hashOf(secret)),
            scopes: [...client.scopes],
            accounts: [...client.accounts],
            allowS3: client.allowS3 ?? false,
            requireSignature: client.requireSignature ?? false,
            rateLimitPerMinute: client.rateLimitPerMinute ?? null,
          },
        },
      },
    }),
  );
  return { clientId, keyId, secret };
}

async function rotate(db: Database, keyId: string, now: Date): Promise<NewKey | null> {
  const row = await persist(() => db.apiKey.findUnique({ where: { id: keyId } }));
  if (!row || row.revokedAt) return null;
  const secret = newSecret();
  await persist(() =>
    db.apiKey.update({
      where: { id: keyId },
      data: {
        secretHash: new Uint8Array(hashOf(secret)),
        previousSecretHash: row.secretHash,
        previousValidUntil: new Date(now.getTime() + ROTATION_OVERLAP_MS),
      },
    }),
  );
  return { clientId: row.clientId, keyId, secret };
}

async function find(db: Database, keyId: string, now: () => Date) {
  const row = await persist(() => db.apiKey.findUnique({ where: { id: keyId }, include: { client: true } }));
  if (!row || row.revokedAt) return null;
  const current = Buffer.from(row.secretHash);
  const previous = row.previousSecretHash && Buffer.from(row.previousSecretHash);
  return {
    key: keyOf(row),
    isSecret: (presented: string): boolean => {
      const given = hashOf(presented);
      const isCurrent = timingSafeEqual(given, current);
      const overlap = row.previousValidUntil !== null && row.previousValidUntil > now();
      return isCurrent || (previous !== null && timingSafeEqual(given, previous) && overlap);
    },
  };
}

type KeyRow = Awaited<ReturnType<Database['apiKey']['findMany']>>[number] & {
  client: { name: string; env: string };
};

const keyOf = (row: KeyRow): Key => ({
  keyId: row.id,
  clientId: row.clientId,
  clientName: row.client.name,
  env: row.client.env,
  scopes: row.scopes,
  accounts: row.accounts,
  allowS3: row.allowS3,
  requireSignature: row.requireSignature,
  rateLimitPerMinute: row.rateLimitPerMinute,
  createdAt: row.createdAt,
  revokedAt: row.revokedAt,
});
