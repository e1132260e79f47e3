import type { Command } from '../command.js';
import { withDomain } from './books.js';

/** Frees a key that a security rule has locked. What it did before is not counted again. */
export const unlock: Command = async ({ args, env, say, complain }) => {
  const keyId = args.find((arg) => !arg.startsWith('--'));
  if (!keyId) {
    complain('usage: replenish unlock <keyId>');
    return 2;
  }
  if (!(await withDomain(env, (domain) => domain.security.unlock(keyId)))) {
    complain(`${keyId} is not locked`);
    return 1;
  }
  say(
    args.includes('--json')
      ? JSON.stringify({ keyId, unlocked: true })
      : `unlocked ${keyId}; it works everywhere within a second`,
  );
  return 0;
};
