import { Command } from '@commander-js/extra-typings';
import { ACTOR_OPTION, actorOf } from '../../actor.js';
import { withDomain } from '../../books.js';
import { type Declare, JSON_ABOUT } from '../../command.js';
import { noActiveKey } from './new-key.js';

export const revoke: Declare = ({ env, say }) =>
  new Command('revoke')
    .description('revoke a key; it cannot be restored')
    .argument('<keyId>', 'id of the key, as `client list` shows it')
    .option(...ACTOR_OPTION)
    .option('--json', JSON_ABOUT)
    .action(async (keyId, { json, actor }) => {
      const revoked = await withDomain(env, (domain) => domain.clients.revoke(keyId, actorOf(actor)));
      if (!revoked) throw noActiveKey(keyId);
      if (json) say(JSON.stringify({ keyId, revoked }));
      else say(`revoked ${keyId}; it stops everywhere within a second`);
    });
