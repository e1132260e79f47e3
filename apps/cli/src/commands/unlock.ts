import type { Command } from '../command.js';
import { withDomain } from './books.js';

/** Frees a key that a security rule has locked. What it did before is not counted again. */
export const unlock: Command<'unlock'> = async ({ values, operand: keyId, env, say }) => {
  if (!(await withDomain(env, (domain) => domain.security.unlock(keyId))))
    throw new Error(`${keyId} is not locked`);
  say(
    values.json
      ? JSON.stringify({ keyId, unlocked: true })
      : `unlocked ${keyId}; it works everywhere within a second`,
  );
  return 0;
};
