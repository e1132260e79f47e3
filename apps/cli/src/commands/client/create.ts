import { Option } from '@commander-js/extra-typings';
import type { Clients } from '@replenish/domain';
import { keyEnvironments } from '@replenish/domain/rules';
import { actorOf } from '../../actor.js';
import { withDomain } from '../../books.js';
import type { Declare } from '../../command.js';
import * as values from '../../values.js';
import { keyCommand, keyFrom } from './key-options.js';
import { printNewKey } from './new-key.js';

const EXAMPLES = `
Examples:
  replenish client create --name shop --scopes recharges:write,recharges:read --accounts 'acct-10*'
  replenish client create --name bank --env live --require-signature --scopes balances:read --accounts '*' \\
    --ip-allow 10.0.0.0/8 --ceiling USD:100000:1000000
docs/keys.md says what each limit does.`;

export const create: Declare = ({ env, say }) =>
  keyCommand('create')
    .description('create a client with its first key; the secret is printed once')
    .requiredOption(
      '--name <name>',
      'name of the client; with mutual TLS the common name of its certificate',
      values.clientName,
    )
    .addOption(
      new Option('--env <environment>', 'where its keys work')
        .choices(keyEnvironments)
        .default('test' as const),
    )
    .option('--allow-same-name', 'allow a name that another client has already')
    .addHelpText('after', EXAMPLES)
    .action(async ({ name, env: environment, allowSameName, json, actor, ...asked }) => {
      const client = { name, env: environment, ...keyFrom(asked) };
      const made = await withDomain(env, async ({ clients }) => {
        if (!allowSameName) await refuseSameName(clients, client);
        return clients.create(client, actorOf(actor));
      });
      printNewKey(say, made, json, 'Made a client. The secret is shown this once:');
    });

/**
 * Refuses a name that a client of this environment with a valid key has. A client of the other environment may have
 * the same name.
 */
async function refuseSameName(clients: Clients, asked: { name: string; env: string }): Promise<void> {
  const same = (await clients.list()).find(
    (key) => key.clientName === asked.name && key.env === asked.env && key.revokedAt === null,
  );
  if (same)
    throw new Error(
      `there is a client ${asked.name} already, with the key ${same.keyId}: ` +
        'choose another name, or add --allow-same-name',
    );
}
