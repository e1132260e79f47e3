import { Command } from '@commander-js/extra-typings';
import { withDomain } from '../../books.js';
import { type Declare, JSON_ABOUT } from '../../command.js';
import { asJson, tableOfKeys } from './key-table.js';

export const list: Declare = ({ env, say, paint }) =>
  new Command('list')
    .description('list all keys with their clients')
    .option('--json', JSON_ABOUT)
    .action(async ({ json }) => {
      const keys = await withDomain(env, (domain) => domain.clients.list());
      if (json) say(asJson(keys));
      else if (keys.length === 0) say('no client yet: `replenish client create --help` says how to make one');
      else say(tableOfKeys(keys, paint));
    });
