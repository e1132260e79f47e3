import { randomBytes } from 'node:crypto';
import type { Vault } from '../clients/vault.js';
import type { Store } from '../database/database.js';

export type CallbackDeps = Readonly<{
  store: Store;
  /** Null: without master keys there are no secrets. */
  vault: Vault | null;
  newId: () => string;
  now: () => Date;
}>;

/** A signing secret as stored. */
export type SealedSecret = Readonly<{
  secretSealed: Uint8Array;
  previousSecretSealed: Uint8Array | null;
  previousValidUntil: Date | null;
}>;

/** The time for which events are signed with the previous secret too, so that a client can change over without a gap. */
export const CALLBACK_OVERLAP_MS = 24 * 3_600_000;

export const newCallbackSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`;

/** Seals and opens the secrets of one owner: an endpoint, or a client. */
export function secretsOf(vault: Vault | null, owner: string) {
  const context = `callback ${owner}`;
  const given = (): Vault => {
    if (vault) return vault;
    throw new Error('the secrets of callbacks are sealed with a master key: set MASTER_KEYS');
  };
  const open = (sealed: Uint8Array): string => given().open(sealed, context);
  return {
    seal: (secret: string): Uint8Array => given().seal(secret, context),
    open,
    /** The secrets that sign now, the newest first. */
    valid: (
      { secretSealed, previousSecretSealed, previousValidUntil }: SealedSecret,
      now: Date,
    ): string[] => [
      open(secretSealed),
      ...(previousSecretSealed && previousValidUntil && previousValidUntil > now
        ? [open(previousSecretSealed)]
        : []),
    ],
  };
}
