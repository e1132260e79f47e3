import { needsSecondFactor, type OperatorRole } from '../../core/access/operator-rules.js';
import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import { filedAct } from './file-action.js';
import {
  actOf,
  type Factor,
  insertedOperator,
  type MadeOperator,
  newFactor,
  noFactor,
  type UserDeps,
} from './users.js';

/** What an OpenID provider says of a person who has just signed in there. */
export type SignOn = Readonly<{
  /** `<issuer> <subject>`. It stays when the name changes. */
  subject: string;
  name: string;
  role: OperatorRole;
}>;

/**
 * - `entered`: `made` has the second factor that was created just now, which is shown only this once.
 * - `name_taken`: another person of the console has the name. The name is no proof, so they stay two people.
 * - `disabled`: the console does not let the person in.
 */
export type SignOnResult =
  | Readonly<{ fate: 'entered'; id: string; name: string; made: MadeOperator | null }>
  | Readonly<{ fate: 'name_taken' | 'disabled' }>;

type Known = Readonly<{
  id: string;
  name: string;
  role: OperatorRole;
  hasSecondFactor: boolean;
  isDisabled: boolean;
}>;

export async function enterBySignOn(run: Run, deps: UserDeps, signOn: SignOn): Promise<SignOnResult> {
  const known = await find(run, signOn.subject);
  if (known) return withRole(run, deps, known, signOn.role);
  const id = deps.newId();
  const factor = factorOf(deps, { id, name: signOn.name }, signOn.role);
  const created = await create(run, deps, { ...signOn, id, factor });
  if (created) return entered({ id, name: signOn.name }, signOn.role, factor);
  // Another sign-in of the same person was first, or the name is another person's.
  const other = await find(run, signOn.subject);
  return other ? withRole(run, deps, other, signOn.role) : { fate: 'name_taken' };
}

async function find(run: Run, subject: string): Promise<Known | undefined> {
  const [known] = await run<Known>(Prisma.sql`
    select
      id,
      name,
      role,
      totp_sealed is not null as "hasSecondFactor",
      disabled_at is not null as "isDisabled"
    from operator
    where sign_on_subject = ${subject}`);
  return known;
}

type Person = Pick<Known, 'id' | 'name'>;

const factorOf = (deps: UserDeps, { id, name }: Person, role: OperatorRole): Factor =>
  needsSecondFactor(role) ? newFactor(deps, id, name) : noFactor;

const entered = (
  { id, name }: Person,
  role: OperatorRole,
  { totpUri, recoveryCodes }: Factor,
): SignOnResult => ({
  ...{ fate: 'entered', id, name },
  made: totpUri === null ? null : { name, role, totpUri, recoveryCodes },
});

const bySignOn = (name: string, role: OperatorRole) => ({ actor: name, role });

async function create(
  run: Run,
  deps: UserDeps,
  { id, subject, name, role, factor }: SignOn & Readonly<{ id: string; factor: Factor }>,
): Promise<boolean> {
  const made = await run(Prisma.sql`
    with
    ${insertedOperator({ id, name, role, passwordHash: null, signOnSubject: subject, factor }, false)},
    ${filedAct({
      ...actOf(deps, bySignOn(name, role), name),
      ...{ verb: 'create_user', reason: `role ${role}, by single sign-on` },
    })}
    select from done`);
  return made.length > 0;
}

/**
 * Lets a known person enter with the role that the OpenID provider gives. If the role needs a second factor and the
 * person has none, a new one is made.
 */
async function withRole(run: Run, deps: UserDeps, known: Known, role: OperatorRole): Promise<SignOnResult> {
  if (known.isDisabled) return { fate: 'disabled' };
  const factor = known.hasSecondFactor ? noFactor : factorOf(deps, known, role);
  if (known.role === role && factor.totpUri === null) return entered(known, role, noFactor);
  const changed = await run(Prisma.sql`
    with
    done as (
      update operator
      set
        role = ${role},
        totp_sealed = coalesce(${factor.sealed}::bytea, totp_sealed),
        recovery_hashes = case when ${factor.sealed !== null}::boolean then ${factor.hashes}::text[] else recovery_hashes end
      where id = ${known.id}::uuid and disabled_at is null
        and (totp_sealed is null or ${factor.sealed === null}::boolean)
      returning id),
    ${filedAct({
      ...actOf(deps, bySignOn(known.name, known.role), known.name),
      ...{ verb: 'set_role', reason: `role ${role}, by single sign-on` },
    })}
    select from done`);
  // Another sign-in made the second factor at the same time, or the person was disabled.
  if (changed.length === 0) return enterAgain(run, known, role);
  return entered(known, role, factor);
}

async function enterAgain(run: Run, { id }: Known, role: OperatorRole): Promise<SignOnResult> {
  const [now] = await run<Person>(Prisma.sql`
    select id, name
    from operator
    where id = ${id}::uuid and disabled_at is null and role = ${role}`);
  return now ? entered(now, role, noFactor) : { fate: 'disabled' };
}
