import { createHash, randomBytes } from 'node:crypto';
import { type ApprovalLimits, limitsInJson } from '../../core/access/approval.js';
import { keyEnvironments } from '../../core/access/client-rules.js';
import { Prisma } from '../../generated/client.js';
import type { Ceiling } from '../ceilings/ceiling.js';
import type { Database, Run, Store } from '../database/database.js';
import { codeOf, persist } from '../database/failure.js';
import { type Actor, filedAct } from '../operators/file-action.js';
import { addressTest } from './addresses.js';
import {
  contextOf,
  type Key,
  type KeyRow,
  type KeyVerifier,
  type KnownRow,
  keyOf,
  verifierOf,
} from './key.js';
import { nonceUser } from './nonces.js';
import type { Vault } from './vault.js';

export type NewClient = Readonly<{
  name: string;
  scopes: readonly string[];
  accounts: readonly string[];
  /** Part of the key's id. `live` keys are for production, `test` keys for all other environments. */
  env: (typeof keyEnvironments)[number];
  /** Whether the key may sign the balance query in the S3 form. */
  allowS3?: boolean;
  /** Whether a live key may be sent as a bearer token. A test key always may. */
  allowBearer?: boolean;
  requireSignature?: boolean;
  rateLimitPerMinute?: number | null;
  expiresAt?: Date | null;
  /** Addresses and networks (CIDR) that the key may be used from. Empty: all. */
  ipAllow?: readonly string[];
  ceilings?: Readonly<Record<string, Ceiling>>;
  /** Amounts strictly above these limits need an approval. */
  approvalAbove?: ApprovalLimits;
  /** `sub` of the OAuth 2 access tokens that stand for this key. No two keys share one. */
  oauthSubject?: string | null;
}>;

/** A further key of a client. It has the client's environment. */
export type AddedKey = Omit<NewClient, 'name' | 'env'>;

/** A new key with its secret, which is shown only this once. */
export type NewKey = Readonly<{ clientId: string; keyId: string; secret: string }>;

export interface Clients {
  /** @throws for a bad entry of `ipAllow`, and for a key that signs if there is no master key to seal its secret */
  create(client: NewClient, by?: Actor): Promise<NewKey>;
  /** Returns null if there is no such client. @throws as `create` does */
  addKey(clientId: string, key: AddedKey, by?: Actor): Promise<NewKey | null>;
  list(): Promise<Key[]>;
  /** Revokes a key. Returns false if there is no such key, or it is already revoked. */
  revoke(keyId: string, by?: Actor): Promise<boolean>;
  /**
   * Gives the key a new secret. The previous one stays valid for 24 hours, so the client can change over without a gap.
   */
  rotate(keyId: string, by?: Actor): Promise<NewKey | null>;
  /** Finds a key. Null for an unknown or revoked key. The caller checks expiry, locks and all other limits. */
  find(keyId: string): Promise<KeyVerifier | null>;
  /** Finds the key that the `sub` of an access token stands for. */
  findBySubject(subject: string): Promise<KeyVerifier | null>;
  /** True for the first use of a nonce over all processes. */
  useNonce(use: { keyId: string; nonce: string }): Promise<boolean>;
  /**
   * Seals those secrets with the first master key that another master key sealed. Returns the number of changed keys.
   */
  rekey(): Promise<number>;
}

type ClientsDeps = Readonly<{
  vault: Vault | null;
  newId: () => string;
  now: () => Date;
  file: ReturnType<typeof keyFiler>;
}>;

/**
 * Files what a person does to a key, before it is done. So the maker of every key is known, and nobody can approve what
 * a key asks for that they have made.
 */
const keyFiler =
  (run: Run, newId: () => string) =>
  async (
    verb: 'create_key' | 'rotate_key' | 'revoke_key',
    keyId: string,
    by: Actor | undefined,
  ): Promise<void> => {
    if (!by) return;
    const act = filedAct({ ...by, id: newId(), verb, subject: `key ${keyId}`, reason: keyId });
    await run(Prisma.sql`with done as (select 1 as one), ${act} select from acts`);
  };

const ROTATION_OVERLAP_MS = 24 * 3_600_000;
const REKEY_TRIES = 5;

const hashOf = (secret: string) => new Uint8Array(createHash('sha256').update(secret, 'utf8').digest());
// The code of a unique violation, from Postgres and from Prisma.
const isTaken = (error: unknown): boolean => ['23505', 'P2002'].includes(codeOf(error) ?? '');
const newSecret = (): string => `rs_${randomBytes(32).toString('base64url')}`;

const WITH_LOCKS = { client: true, locks: true } as const;

export function openClients({ db, run }: Store, given: Omit<ClientsDeps, 'file'>): Clients {
  const deps: ClientsDeps = { ...given, file: keyFiler(run, given.newId) };
  const known = (row: KnownRow | null) => verifierOf(row, deps.vault, deps.now);
  return {
    create: (client, by) => create(db, client, deps, by),
    addKey: (clientId, key, by) => addKey(db, clientId, key, deps, by),
    list: async () => (await rows(db)).map(keyOf),
    revoke: async (keyId, by) => {
      await deps.file('revoke_key', keyId, by);
      const { count } = await persist(() =>
        db.apiKey.updateMany({ where: { id: keyId, revokedAt: null }, data: { revokedAt: deps.now() } }),
      );
      return count === 1;
    },
    rotate: (keyId, by) => rotate(db, keyId, deps, by),
    find: async (id) =>
      known(await persist(() => db.apiKey.findUnique({ where: { id }, include: WITH_LOCKS }))),
    findBySubject: async (oauthSubject) =>
      known(await persist(() => db.apiKey.findUnique({ where: { oauthSubject }, include: WITH_LOCKS }))),
    useNonce: nonceUser(run),
    rekey: () => rekey(db, deps.vault),
  };
}

const rows = (db: Database) =>
  persist(() => db.apiKey.findMany({ include: { client: true }, orderBy: { createdAt: 'asc' } }));

async function create(db: Database, client: NewClient, deps: ClientsDeps, by?: Actor): Promise<NewKey> {
  const { name, env, ...key } = client;
  const clientId = deps.newId();
  const { secret, row } = makeKey(env, key, deps);
  await deps.file('create_key', row.id, by);
  await stored(() => db.client.create({ data: { id: clientId, name, env, keys: { create: row } } }));
  return { clientId, keyId: row.id, secret };
}

async function addKey(
  db: Database,
  clientId: string,
  key: AddedKey,
  deps: ClientsDeps,
  by?: Actor,
): Promise<NewKey | null> {
  const client = await persist(() => db.client.findUnique({ where: { id: clientId } }));
  if (!client) return null;
  const { secret, row } = makeKey(client.env, key, deps);
  await deps.file('create_key', row.id, by);
  await stored(() => db.apiKey.create({ data: { ...row, clientId } }));
  return { clientId, keyId: row.id, secret };
}

/** The OAuth subject is the only column in which a new key can clash with another key. */
async function stored(write: () => Promise<unknown>): Promise<void> {
  await persist(write).catch((error: unknown) => {
    if (!isTaken(error)) throw error;
    throw new Error('another key stands for this OAuth subject already', { cause: error });
  });
}

function makeKey(env: string, asked: AddedKey, { vault }: ClientsDeps) {
  if (!(keyEnvironments as readonly string[]).includes(env))
    throw new Error(`a key is live or test, not ${env}`);
  if (!vault && (asked.requireSignature || asked.allowS3))
    throw new Error('a key that signs needs a master key to seal its secret with: set MASTER_KEYS');
  const { scopes, accounts, ipAllow = [], ceilings = {}, approvalAbove = {}, ...limits } = asked;
  addressTest(ipAllow);
  const secret = newSecret();
  const keyId = `rk_${env}_${randomBytes(9).toString('hex')}`;
  const row = {
    ...limits,
    id: keyId,
    secretHash: hashOf(secret),
    secretSealed: vault?.seal(secret, contextOf(keyId)) ?? null,
    scopes: [...scopes],
    accounts: [...accounts],
    ipAllow: [...ipAllow],
    approvalAbove: limitsInJson(approvalAbove),
    ceilings: JSON.parse(
      JSON.stringify(ceilings, (_, value) => (typeof value === 'bigint' ? `${value}` : value)),
    ),
  };
  return { secret, row };
}

async function rotate(
  db: Database,
  keyId: string,
  { vault, now, file }: ClientsDeps,
  by?: Actor,
): Promise<NewKey | null> {
  const row = await persist(() => db.apiKey.findUnique({ where: { id: keyId } }));
  if (!row || row.revokedAt) return null;
  if (!vault && row.secretSealed)
    throw new Error('this key signs: its new secret needs a master key to be sealed with, set MASTER_KEYS');
  await file('rotate_key', keyId, by);
  const secret = newSecret();
  const { count } = await persist(() =>
    db.apiKey.updateMany({
      where: { id: keyId, revokedAt: null, secretHash: row.secretHash },
      data: {
        secretHash: hashOf(secret),
        secretSealed: vault?.seal(secret, contextOf(keyId)) ?? null,
        previousSecretHash: row.secretHash,
        previousSecretSealed: row.secretSealed,
        previousValidUntil: new Date(now().getTime() + ROTATION_OVERLAP_MS),
      },
    }),
  );
  if (count === 0)
    throw new Error(`key ${keyId} was changed by somebody else meanwhile: look, then try again`);
  return { clientId: row.clientId, keyId, secret };
}

/**
 * Repeats until all secrets are sealed with the first master key. A key that is rotated meanwhile is sealed in the next
 * round.
 */
async function rekey(db: Database, vault: Vault | null): Promise<number> {
  if (!vault) throw new Error('no master keys: set MASTER_KEYS');
  const changed = new Set<string>();
  for (let tried = 1; ; tried++) {
    const stale = (await rows(db)).filter((row) =>
      [row.secretSealed, row.previousSecretSealed].some((sealed) => sealed && !vault.isCurrent(sealed)),
    );
    if (stale.length === 0) return changed.size;
    if (tried > REKEY_TRIES) throw new Error(`${stale.length} keys change all the time: try again`);
    for (const row of stale) if (await reseal(db, vault, row)) changed.add(row.id);
  }
}

async function reseal(db: Database, vault: Vault, row: KeyRow): Promise<boolean> {
  const { id, secretSealed, previousSecretSealed } = row;
  const again = (sealed: KeyRow['secretSealed']) =>
    sealed && vault.seal(vault.open(sealed, contextOf(id)), contextOf(id));
  const { count } = await persist(() =>
    db.apiKey.updateMany({
      where: { id, secretSealed, previousSecretSealed },
      data: { secretSealed: again(secretSealed), previousSecretSealed: again(previousSecretSealed) },
    }),
  );
  return count === 1;
}
