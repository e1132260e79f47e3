import { randomBytes } from 'node:crypto';
import type { MadeOperator } from '@replenish/domain';

/** A new password with its hash. It has 120 random bits. */
export async function newPassword(): Promise<{ password: string; passwordHash: string }> {
  const { hashPassword } = await import('@replenish/runtime');
  const password = randomBytes(15).toString('base64url');
  return { password, passwordHash: await hashPassword(password) };
}

/** Prints what is shown only this once. */
export function printNewUser(
  say: (line: string) => void,
  { name: user, totpUri, recoveryCodes }: MadeOperator,
  password: string,
  json: boolean | undefined,
): void {
  if (json) {
    say(JSON.stringify({ user, password, totpUri, recoveryCodes }));
    return;
  }
  say('Shown this once:');
  say(`  user           ${user}`);
  say(`  password       ${password}`);
  if (totpUri === null) return;
  say(`  second factor  ${totpUri}`);
  say(`  recovery codes ${recoveryCodes.join(' ')}`);
  say(
    'Put the second factor into an authenticator, for instance as a QR code: qrencode -t utf8 <the line above>',
  );
}
