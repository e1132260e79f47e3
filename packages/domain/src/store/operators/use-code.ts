import { Prisma } from '../../generated/client.js';
import type { Vault } from '../clients/vault.js';
import type { Run } from '../database/database.js';
import { isTotpForm, recoveryHash, stepOf } from './second-factor.js';

/** The context that a sealed seed is bound to. */
export const seedContextOf = (operatorId: string): string => `operator ${operatorId}`;

type UseDeps = Readonly<{ vault: Vault | null; now: () => Date }>;

/**
 * Uses up a code. A code of the authenticator uses up all codes of earlier steps, too, so a code that somebody watched
 * cannot be used later.
 */
export async function useCode(
  run: Run,
  { vault, now }: UseDeps,
  operatorId: string,
  code: string,
): Promise<'totp' | 'recovery' | false> {
  if (!isTotpForm(code)) return (await useRecoveryCode(run, operatorId, code)) ? 'recovery' : false;
  const [person] = await run<{ name: string; sealed: Uint8Array | null }>(Prisma.sql`
    select name, totp_sealed as sealed
    from operator
    where id = ${operatorId}::uuid and disabled_at is null`);
  if (!person?.sealed) return false;
  if (!vault) throw new Error('the second factor is sealed: set MASTER_KEYS');
  const seed = vault.open(person.sealed, seedContextOf(operatorId));
  const step = stepOf(person.name, seed, code, now());
  if (step === null) return false;
  const used = await run(Prisma.sql`
    update operator
    set totp_step = ${step}::bigint
    where id = ${operatorId}::uuid and totp_step < ${step}::bigint
    returning id`);
  return used.length > 0 && 'totp';
}

async function useRecoveryCode(run: Run, operatorId: string, code: string): Promise<boolean> {
  const hash = recoveryHash(code);
  const used = await run(Prisma.sql`
    update operator
    set recovery_hashes = array_remove(recovery_hashes, ${hash}::text)
    where id = ${operatorId}::uuid and disabled_at is null and ${hash}::text = any(recovery_hashes)
    returning id`);
  return used.length > 0;
}

/** Seals those seeds again that another master key sealed. */
export async function resealSeeds(run: Run, vault: Vault | null): Promise<number> {
  if (!vault) throw new Error('no master keys: set MASTER_KEYS');
  const rows = await run<{ id: string; sealed: Uint8Array }>(Prisma.sql`
    select id, totp_sealed as sealed
    from operator
    where totp_sealed is not null`);
  let changed = 0;
  for (const { id, sealed } of rows.filter((row) => !vault.isCurrent(row.sealed))) {
    const again = vault.seal(vault.open(sealed, seedContextOf(id)), seedContextOf(id));
    const resealed = await run(Prisma.sql`
      update operator
      set totp_sealed = ${again}::bytea
      where id = ${id}::uuid and totp_sealed = ${sealed}::bytea
      returning id`);
    changed += resealed.length;
  }
  return changed;
}
