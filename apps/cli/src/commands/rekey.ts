import { Command } from '@commander-js/extra-typings';
import { withDomain } from '../books.js';
import { type Declare, JSON_ABOUT } from '../command.js';

/** The command may be repeated. Afterwards all master keys but the first can be removed. */
export const rekey: Declare = ({ env, say }) =>
  new Command('rekey')
    .description('seal the secrets of all keys, users and callbacks again with the first master key')
    .option('--json', JSON_ABOUT)
    .action(async ({ json }) => {
      const changed = await withDomain(env, async ({ clients, operators, callbacks }) => {
        const keys = await clients.rekey();
        return keys + (await operators.rekey()) + (await callbacks.rekey());
      });
      if (json) say(JSON.stringify({ changed }));
      else
        say(changed === 0 ? 'every secret is under the first master key' : `sealed ${changed} secrets again`);
    });
