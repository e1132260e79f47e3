import { Command } from '@commander-js/extra-typings';
import { type Declare, JSON_ABOUT, Misuse } from '../../command.js';
import { time, uuid } from '../../values.js';
import { handDueOver } from './due.js';
import { reconcileStatement } from './statement.js';

const EXAMPLE = `
Examples:
  replenish reconcile --now
  replenish reconcile --provider stripe --from 2026-11-01 --to 2026-12-01
  replenish reconcile --provider alipay --from 2026-11-01 --to 2026-12-01 --file november.csv`;

/** Compares our books with the providers': one recharge at a time, or a whole statement. */
export const reconcile: Declare = (run) =>
  new Command('reconcile')
    .description("hand due recharges to the workers now, or compare a provider's statement with the books")
    .option('--json', JSON_ABOUT)
    .option('--now [id]', 'also recharges that are not due yet: one, or all', uuid)
    .option('--provider <name>', 'whose statement is compared')
    .option('--provider-account <name>', 'name of our account at the provider; left out: the default one')
    .option('--from <time>', 'begin of the statement', time)
    .option('--to <time>', 'end of the statement, which is not in it', time)
    .option(
      '--file <file>',
      "the statement, in place of the provider's own: CSV with line,at,orderId,reference,direction,amount,currency,balance",
    )
    .addHelpText('after', EXAMPLE)
    .action(async ({ json, now, provider, providerAccount, from, to, file }) => {
      if (provider === undefined) {
        if (from ?? to ?? file) throw new Misuse('--from, --to and --file need --provider');
        return handDueOver(run, { json, now });
      }
      if (now !== undefined) throw new Misuse('--now and --provider exclude each other');
      if (!from || !to) throw new Misuse('--provider needs --from and --to');
      if (from >= to) throw new Misuse('--from must be before --to');
      return reconcileStatement(run, { json, file, of: { provider, providerAccount, from, to } });
    });
