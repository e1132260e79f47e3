import type { Command } from '../command.js';
import { withDomain } from './books.js';

/** Seals the secrets of all keys with the first master key. Harmless to repeat; after it the others may go. */
export const rekey: Command<'rekey'> = async ({ values, env, say }) => {
  const changed = await withDomain(env, (domain) => domain.clients.rekey());
  if (values.json) say(JSON.stringify({ changed }));
  else say(changed === 0 ? 'every secret is under the first master key' : `sealed ${changed} keys again`);
  return 0;
};
