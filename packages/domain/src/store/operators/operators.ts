import type { OperatorRole } from '../../core/access/operator-rules.js';
import { Prisma } from '../../generated/client.js';
import type { Vault } from '../clients/vault.js';
import type { Run } from '../database/database.js';
import { beginAttempt, forgiveAttempt } from './attempts.js';
import { type Actor, filedAct, type PersonsAct } from './file-action.js';
import { endSession, openSession, type SignedIn, signedIn } from './sessions.js';
import { enterBySignOn, type SignOn, type SignOnResult } from './sign-on.js';
import { resealSeeds, useCode } from './use-code.js';
import {
  changeRole,
  createOperator,
  disableOperator,
  endSessionsOf,
  listOperators,
  type MadeOperator,
  type NewOperator,
  type OperatorChange,
  type OperatorRow,
  resetOperator,
} from './users.js';

/** The facts that the sign-in of a person is checked against. */
export type Credentials = Readonly<{
  id: string;
  name: string;
  role: OperatorRole;
  /** Null: the person signs in through an OpenID provider only. */
  passwordHash: string | null;
  hasSecondFactor: boolean;
}>;

/** The people of the console: their roles, second factors and sessions. Every change is filed as an action. */
export interface Operators {
  /** Creates a person. Null if the name is taken. @throws without a master key, if the role needs a second factor */
  create(person: NewOperator, by: Actor): Promise<MadeOperator | null>;
  /** Creates the first person. Null if there are people already. */
  createFirst(person: NewOperator, by: Actor): Promise<MadeOperator | null>;
  list(): Promise<OperatorRow[]>;
  /** Disables a person and ends their sessions. */
  disable(name: string, by: Actor): Promise<OperatorChange>;
  /** Ends the sessions of a person, or of all people. Returns their number. */
  endSessions(name: string | null, by: Actor): Promise<number>;
  setRole(name: string, role: OperatorRole, by: Actor): Promise<OperatorChange>;
  /** Gives a person a new password and second factor, enables them, and ends their sessions. Null: unknown. */
  reset(name: string, passwordHash: string, by: Actor): Promise<MadeOperator | null>;
  /**
   * Finds the person whom an OpenID provider vouches for, with the role that it gives, or creates the person.
   * @throws without a master key, if the role needs a second factor
   */
  enter(signOn: SignOn): Promise<SignOnResult>;
  /** Counts an attempt to sign in. False if the name or the address has had its attempts of the minute. */
  beginAttempt(subjects: readonly string[]): Promise<boolean>;
  forgiveAttempt(subjects: readonly string[]): Promise<unknown>;
  /** The credentials of a person. Null for an unknown or disabled person. */
  credentials(name: string): Promise<Credentials | null>;
  /** Uses a code of the second factor, or a recovery code. False if it is wrong or was used before. */
  useCode(operatorId: string, code: string): Promise<'totp' | 'recovery' | false>;
  openSession(operatorId: string): Promise<string>;
  signedIn(secret: string): Promise<SignedIn | null>;
  endSession(secret: string): Promise<boolean>;
  /** Files what a person did at the console. */
  file(act: Omit<PersonsAct, 'id'>): Promise<unknown>;
  /** Seals the seeds with the first master key that another one sealed. Returns the number of changed people. */
  rekey(): Promise<number>;
}

export type OperatorsDeps = Readonly<{ vault: Vault | null; newId: () => string; now: () => Date }>;

export const openOperators = (run: Run, deps: OperatorsDeps): Operators => ({
  create: (person, by) => createOperator(run, deps, person, { by, isFirst: false }),
  createFirst: (person, by) => createOperator(run, deps, person, { by, isFirst: true }),
  list: () => listOperators(run),
  disable: (name, by) => disableOperator(run, deps, name, by),
  endSessions: (name, by) => endSessionsOf(run, deps, name, by),
  setRole: (name, role, by) => changeRole(run, deps, { name, role }, by),
  reset: (name, passwordHash, by) => resetOperator(run, deps, { name, passwordHash }, by),
  enter: (signOn) => enterBySignOn(run, deps, signOn),
  beginAttempt: (subjects) => beginAttempt(run, subjects),
  forgiveAttempt: (subjects) => forgiveAttempt(run, subjects),
  credentials: async (name) => {
    const [found] = await run<Credentials>(Prisma.sql`
      select id, name, role, password_hash as "passwordHash", totp_sealed is not null as "hasSecondFactor"
      from operator
      where name = ${name} and disabled_at is null`);
    return found ?? null;
  },
  useCode: (operatorId, code) => useCode(run, deps, operatorId, code),
  openSession: (operatorId) => openSession(run, operatorId),
  signedIn: (secret) => signedIn(run, secret),
  endSession: (secret) => endSession(run, secret),
  file: (act) =>
    run(
      Prisma.sql`with done as (select 1 as one), ${filedAct({ ...act, id: deps.newId() })} select from acts`,
    ),
  rekey: () => resealSeeds(run, deps.vault),
});
