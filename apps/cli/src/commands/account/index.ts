import { Command } from '@commander-js/extra-typings';
import { withDomain } from '../../books.js';
import { type Declare, JSON_ABOUT, Misuse } from '../../command.js';
import * as values from '../../values.js';

const EXAMPLE = `
Examples:
  replenish account time-zone acct-1001 Europe/Berlin
  replenish account time-zone acct-1001 --default
Without a zone the account has Asia/Shanghai where its payee is at Alibaba Cloud, and UTC elsewhere. A change cuts the
statements of earlier months anew, too.`;

/** Commands about the accounts of clients. */
export const account: Declare = (run) =>
  new Command('account')
    .description('say in which time zone the months of an account begin')
    .addCommand(timeZone(run));

const timeZone: Declare = ({ env, say }) =>
  new Command('time-zone')
    .description('show or set the time zone in which the months of an account begin')
    .argument('<accountId>', 'the account of the statements', values.accountId)
    .argument('[timeZone]', 'name of the tz database, such as Asia/Shanghai', values.timeZone)
    .option('--default', 'forget the zone that was set')
    .option('--json', JSON_ABOUT)
    .addHelpText('after', EXAMPLE)
    .action(async (accountId, asked, { default: isCleared, json }) => {
      if (asked && isCleared) throw new Misuse('give a time zone or --default, not both');
      const now = await withDomain(env, async ({ accountMonths }) => {
        if (isCleared) await accountMonths.clearTimeZone(accountId);
        if (asked && !(await accountMonths.setTimeZone({ accountId, timeZone: asked, setBy: 'operator' })))
          throw new Error(`the database does not know the time zone ${asked}`);
        return accountMonths.timeZoneOf(accountId);
      });
      say(
        json
          ? JSON.stringify({ accountId, ...now })
          : `${accountId}: ${now.timeZone}${now.isSet ? '' : ', given by its payee'}`,
      );
    });
