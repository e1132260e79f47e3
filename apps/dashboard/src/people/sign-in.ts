import type { Credentials, Domain } from '@replenish/domain';
import { type Logger, verifyPassword } from '@replenish/runtime';

export type PeopleDeps = Readonly<{ operators: Domain['operators']; log: Logger }>;

export type Given = Readonly<{ name: string; password: string; code: string; address: string }>;

export type SignInResult =
  | Readonly<{ ok: true; secret: string; name: string; role: string }>
  | Readonly<{ ok: false; because: 'wrong' | 'closed' }>;

/** The subjects by which attempts are limited. */
export const subjectsOf = ({ name, address }: Pick<Given, 'name' | 'address'>): string[] => [
  `address ${address}`,
  `user ${name.slice(0, 64)}`,
];

// A hash of the usual cost that matches no known password.
const NOBODYS_HASH = `scrypt$131072$8$1$${'A'.repeat(22)}==$${'A'.repeat(43)}=`;

/**
 * Signs a person in. The answer does not tell whether the name, the password or the code was wrong, and takes the same
 * time for a name that does not exist.
 */
export function signer({ operators, log }: PeopleDeps): (given: Given) => Promise<SignInResult> {
  const verify = oneAtATime(verifyPassword);
  const isRight = async (known: Credentials | null, { password, code }: Given): Promise<boolean> => {
    const isPassword = await verify(password, known?.passwordHash ?? NOBODYS_HASH);
    if (!known || !isPassword) return false;
    if (!known.hasSecondFactor) return true;
    const used = code !== '' && (await operators.useCode(known.id, code));
    if (used === 'recovery')
      await operators.file(actOf(known, 'use_recovery_code', 'instead of the second factor'));
    return used !== false;
  };
  return async (given) => {
    const { address, name } = given;
    const subjects = subjectsOf(given);
    if (!(await operators.beginAttempt(subjects))) {
      log.warn({ ip: address }, 'the login is closed for a minute');
      return { ok: false, because: 'closed' };
    }
    const known = await operators.credentials(name);
    if (!(await isRight(known, given))) {
      log.warn({ ip: address }, 'wrong name, password or code');
      if (known)
        await operators.file(actOf(known, 'sign_in_refused', `wrong password or code from ${address}`));
      return { ok: false, because: 'wrong' };
    }
    await operators.forgiveAttempt(subjects);
    const secret = await operators.openSession(known!.id);
    await operators.file(actOf(known!, 'sign_in', `from ${address}`));
    log.info({ ip: address, user: known!.name }, 'signed in');
    return { ok: true, secret, name: known!.name, role: known!.role };
  };
}

const actOf = ({ name, role }: Credentials, verb: string, reason: string) => ({
  ...{ actor: name, role, verb, reason },
  subject: `user ${name}`,
});

/**
 * Runs the calls of `work` one after the other. One password check takes 128 MiB for half a second, so parallel
 * attempts from many addresses would exhaust the memory.
 */
function oneAtATime<A extends unknown[], R>(work: (...given: A) => Promise<R>): (...given: A) => Promise<R> {
  let last: Promise<unknown> = Promise.resolve();
  return (...given) => {
    const mine = last.then(() => work(...given));
    last = mine.catch(() => {});
    return mine;
  };
}
