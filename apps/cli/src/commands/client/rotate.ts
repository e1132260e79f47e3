import { Command } from '@commander-js/extra-typings';
import { ACTOR_OPTION, actorOf } from '../../actor.js';
import { withDomain } from '../../books.js';
import { type Declare, JSON_ABOUT } from '../../command.js';
import { noActiveKey, printNewKey } from './new-key.js';

export const rotate: Declare = ({ env, say }) =>
  new Command('rotate')
    .description('give a key a new secret; the old one works for another 24 hours')
    .argument('<keyId>', 'id of the key, as `client list` shows it')
    .option(...ACTOR_OPTION)
    .option('--json', JSON_ABOUT)
    .action(async (keyId, { json, actor }) => {
      const made = await withDomain(env, (domain) => domain.clients.rotate(keyId, actorOf(actor)));
      if (!made) throw noActiveKey(keyId);
      printNewKey(
        say,
        made,
        json,
        'A new secret, shown this once. The one before is good for 24 hours more:',
      );
    });
