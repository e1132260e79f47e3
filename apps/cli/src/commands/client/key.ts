import { Command } from '@commander-js/extra-typings';
import type { Clients, Key } from '@replenish/domain';
import { actorOf } from '../../actor.js';
import { withDomain } from '../../books.js';
import { type Declare, JSON_ABOUT } from '../../command.js';
import { keyCommand, keyFrom } from './key-options.js';
import { asJson, tableOfKeys } from './key-table.js';
import { printNewKey } from './new-key.js';

const CLIENT = 'name or client id, as `client list` shows them';

const EXAMPLE = `
Example, a key that only reads:
  replenish client key add shop --scopes balances:read,recharges:read --accounts '*'`;

/** A client may have several keys, for instance one for sending recharges and one for reading balances. */
export const key: Declare = (run) =>
  [add, list, describe].reduce(
    (group, declare) => group.addCommand(declare(run)),
    new Command('key').description('add, list and describe the keys of one client'),
  );

const add: Declare = ({ env, say }) =>
  keyCommand('add')
    .description('add a key to a client, in the environment of its other keys; the secret is printed once')
    .argument('<client>', CLIENT)
    .addHelpText('after', EXAMPLE)
    .action(async (client, { json, actor, ...asked }) => {
      const key = keyFrom(asked);
      const made = await withDomain(env, async ({ clients }) =>
        clients.addKey(await clientIdOf(clients, client), key, actorOf(actor)),
      );
      if (!made) throw noClient(client);
      printNewKey(say, made, json, 'Made a key. The secret is shown this once:');
    });

const list: Declare = ({ env, say, paint }) =>
  new Command('list')
    .description('list the keys of one client')
    .argument('<client>', CLIENT)
    .option('--json', JSON_ABOUT)
    .action(async (client, { json }) => {
      const keys = await withDomain(env, async ({ clients }) => {
        const clientId = await clientIdOf(clients, client);
        return (await clients.list()).filter((key) => key.clientId === clientId);
      });
      say(json ? asJson(keys) : tableOfKeys(keys, paint));
    });

const describe: Declare = ({ env, say }) =>
  new Command('describe')
    .description('print the rights and limits of a key')
    .argument('<keyId>', 'id of the key, as `client list` shows it')
    .option('--json', JSON_ABOUT)
    .action(async (keyId, { json }) => {
      const keys = await withDomain(env, (domain) => domain.clients.list());
      const found = keys.find((key) => key.keyId === keyId);
      if (!found) throw new Error(`no key ${keyId}`);
      say(json ? asJson(found) : linesOf(found));
    });

/** The id of the client. @throws when no client or several clients have this name */
async function clientIdOf(clients: Clients, nameOrId: string): Promise<string> {
  const keys = await clients.list();
  const isMeant = ({ clientId, clientName }: Key) => clientId === nameOrId || clientName === nameOrId;
  const ids = [...new Set(keys.filter(isMeant).map(({ clientId }) => clientId))];
  if (ids.length > 1)
    throw new Error(
      `${ids.length} clients have the name ${nameOrId}: give the client id, one of ${ids.join(', ')}`,
    );
  if (ids[0] === undefined) throw noClient(nameOrId);
  return ids[0];
}

const noClient = (client: string): Error => new Error(`no client ${client}`);

function linesOf(key: Key): string {
  const entries = Object.entries(JSON.parse(asJson(key)) as Record<string, unknown>);
  return entries
    .map(([name, value]) => `${name.padEnd(20)} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join('\n');
}
