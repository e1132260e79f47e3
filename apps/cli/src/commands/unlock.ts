import { Command } from '@commander-js/extra-typings';
import { withDomain } from '../books.js';
import { type Declare, JSON_ABOUT } from '../command.js';

/** Events from before the unlock do not count towards the next lock. */
export const unlock: Declare = ({ env, say }) =>
  new Command('unlock')
    .description('unlock a key that a security rule has locked')
    .argument('<keyId>', 'id of the key, as `client list` shows it')
    .option('--json', JSON_ABOUT)
    .action(async (keyId, { json }) => {
      await withDomain(env, async ({ clients, security }) => {
        if (await security.unlock(keyId)) return;
        const isThere = (await clients.find(keyId)) !== null;
        throw new Error(isThere ? `${keyId} is not locked` : `no active key ${keyId}`);
      });
      if (json) say(JSON.stringify({ keyId, unlocked: true }));
      else say(`unlocked ${keyId}; it works everywhere within a second`);
    });
