import { isOperatorName, needsSecondFactor, type OperatorRole } from '../../core/access/operator-rules.js';
import { Prisma } from '../../generated/client.js';
import type { Vault } from '../clients/vault.js';
import type { Run } from '../database/database.js';
import { type Actor, filedAct } from './file-action.js';
import { newRecoveryCodes, newSeed, recoveryHash, totpUriOf } from './second-factor.js';
import { seedContextOf } from './use-code.js';

export type NewOperator = Readonly<{ name: string; role: OperatorRole; passwordHash: string }>;

/** A new person with what is shown only this once. */
export type MadeOperator = Readonly<{
  name: string;
  role: OperatorRole;
  /** The address for an authenticator. Null: a viewer without a second factor. */
  totpUri: string | null;
  recoveryCodes: readonly string[];
}>;

export type OperatorRow = Readonly<{
  name: string;
  role: OperatorRole;
  hasSecondFactor: boolean;
  recoveryCodesLeft: number;
  openSessions: number;
  createdAt: Date;
  disabledAt: Date | null;
}>;

export type OperatorChange = 'done' | 'unknown' | 'no_second_factor';

export type UserDeps = Readonly<{ vault: Vault | null; newId: () => string }>;

export async function createOperator(
  run: Run,
  deps: UserDeps,
  { name, role, passwordHash }: NewOperator,
  { by, isFirst }: Readonly<{ by: Actor; isFirst: boolean }>,
): Promise<MadeOperator | null> {
  if (!isOperatorName(name)) throw new Error(`${name} is no name of a person`);
  const id = deps.newId();
  const factor = needsSecondFactor(role) ? newFactor(deps, id, name) : noFactor;
  const made = await run(Prisma.sql`
    with
    ${insertedOperator({ id, name, role, passwordHash, signOnSubject: null, factor }, isFirst)},
    ${filedAct({ ...actOf(deps, by, name), verb: 'create_user', reason: `role ${role}` })}
    select from done`);
  if (made.length === 0) return null;
  return { name, role, totpUri: factor.totpUri, recoveryCodes: factor.recoveryCodes };
}

type OperatorToInsert = Readonly<{
  id: string;
  name: string;
  role: OperatorRole;
  passwordHash: string | null;
  signOnSubject: string | null;
  factor: Factor;
}>;

/** The part of a statement that stores a person, unless the name or the subject is taken. */
export const insertedOperator = (
  { id, name, role, passwordHash, signOnSubject, factor }: OperatorToInsert,
  isFirst: boolean,
): Prisma.Sql => Prisma.sql`
    done as (
      insert into operator (id, name, role, password_hash, sign_on_subject, totp_sealed, recovery_hashes)
      select
        ${id}::uuid,
        ${name},
        ${role},
        ${passwordHash}::text,
        ${signOnSubject}::text,
        ${factor.sealed}::bytea,
        ${factor.hashes}::text[]
      where ${isFirst ? Prisma.sql`not exists (select from operator)` : Prisma.sql`true`}
      on conflict do nothing
      returning id)`;

export type Factor = Readonly<{
  sealed: Uint8Array<ArrayBuffer> | null;
  hashes: string[];
  totpUri: string | null;
  recoveryCodes: string[];
}>;

export const noFactor: Factor = { sealed: null, hashes: [], totpUri: null, recoveryCodes: [] };

export function newFactor({ vault }: UserDeps, id: string, name: string): Factor {
  if (!vault) throw new Error('a second factor needs a master key to seal its seed with: set MASTER_KEYS');
  const seed = newSeed();
  const recoveryCodes = newRecoveryCodes();
  return {
    sealed: vault.seal(seed, seedContextOf(id)),
    hashes: recoveryCodes.map(recoveryHash),
    totpUri: totpUriOf(name, seed),
    recoveryCodes,
  };
}

export const actOf = ({ newId }: UserDeps, by: Actor, name: string) => ({
  ...by,
  id: newId(),
  subject: `user ${name}`,
});

export const listOperators = (run: Run): Promise<OperatorRow[]> =>
  run<OperatorRow>(Prisma.sql`
    select
      name,
      role,
      totp_sealed is not null as "hasSecondFactor",
      coalesce(cardinality(recovery_hashes), 0)::int as "recoveryCodesLeft",
      (select count(*)::int
        from operator_session session
        where session.operator_id = operator.id and session.ends_at > now()) as "openSessions",
      created_at as "createdAt",
      disabled_at as "disabledAt"
    from operator
    order by created_at, name`);

export async function disableOperator(
  run: Run,
  deps: UserDeps,
  name: string,
  by: Actor,
): Promise<OperatorChange> {
  const disabled = await run(Prisma.sql`
    with
    done as (
      update operator
      set disabled_at = now()
      where name = ${name} and disabled_at is null
      returning id),
    ended as (
      delete from operator_session
      where operator_id in (select id from done)),
    ${filedAct({ ...actOf(deps, by, name), verb: 'disable_user', reason: 'disabled' })}
    select from done`);
  return disabled.length > 0 ? 'done' : 'unknown';
}

export async function endSessionsOf(
  run: Run,
  deps: UserDeps,
  name: string | null,
  by: Actor,
): Promise<number> {
  const [ended] = await run<{ count: number }>(Prisma.sql`
    with
    done as (
      delete from operator_session session
      using operator
      where operator.id = session.operator_id and operator.name = coalesce(${name}::text, operator.name)
      returning session.operator_id),
    ${filedAct({
      ...actOf(deps, by, name ?? '*'),
      ...{ verb: 'end_sessions', reason: name === null ? 'of all people' : 'of one person' },
    })}
    select count(*)::int as count
    from done`);
  return ended!.count;
}

/** A session reads the role with every request, so the new role holds at once. */
export async function changeRole(
  run: Run,
  deps: UserDeps,
  { name, role }: Readonly<{ name: string; role: OperatorRole }>,
  by: Actor,
): Promise<OperatorChange> {
  const [found] = await run<{ isAllowed: boolean }>(Prisma.sql`
    with
    found as materialized (
      select id, ${!needsSecondFactor(role)}::boolean or totp_sealed is not null as is_allowed
      from operator
      where name = ${name}),
    done as (
      update operator
      set role = ${role}
      from found
      where operator.id = found.id and found.is_allowed
      returning operator.id),
    ${filedAct({ ...actOf(deps, by, name), verb: 'set_role', reason: `role ${role}` })}
    select is_allowed as "isAllowed"
    from found`);
  if (!found) return 'unknown';
  return found.isAllowed ? 'done' : 'no_second_factor';
}

export async function resetOperator(
  run: Run,
  deps: UserDeps,
  { name, passwordHash }: Readonly<{ name: string; passwordHash: string }>,
  by: Actor,
): Promise<MadeOperator | null> {
  const [known] = await run<{ id: string; role: OperatorRole }>(
    Prisma.sql`select id, role from operator where name = ${name}`,
  );
  if (!known) return null;
  const factor = newFactor(deps, known.id, name);
  await run(Prisma.sql`
    with
    done as (
      update operator
      set
        password_hash = ${passwordHash},
        totp_sealed = ${factor.sealed}::bytea,
        totp_step = 0,
        recovery_hashes = ${factor.hashes}::text[],
        disabled_at = null
      where id = ${known.id}::uuid
      returning id),
    ended as (
      delete from operator_session
      where operator_id in (select id from done)),
    ${filedAct({ ...actOf(deps, by, name), verb: 'reset_user', reason: 'new password and second factor' })}
    select from done`);
  return { name, role: known.role, totpUri: factor.totpUri, recoveryCodes: factor.recoveryCodes };
}
