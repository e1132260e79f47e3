import type { BulkStatus, BulkSum, BulkVerb } from '@replenish/domain';
import { money } from '../frame/format.js';
import type { Html } from '../frame/html.js';
import { table } from '../frame/table.js';
import type { Say } from '../frame/words.js';

export const bulkTitles: Readonly<Record<BulkVerb, string>> = {
  recheck: 'Ask the providers about all of these',
  dismiss: 'Close all of these without a change',
};

export const statusWords: Readonly<Record<BulkStatus, string>> = {
  draft: 'not started',
  running: 'running',
  stopped: 'stopped',
  finished: 'finished',
};

export const outcomeWords: Readonly<Record<string, string>> = {
  done: 'done',
  nothing_under_way: 'nothing was under way any more',
  unknown_recharge: 'there is no such recharge',
  case_closed: 'it was decided already',
  verb_not_offered: 'it did not offer this any more',
  failed: 'failed; see the log',
};

export const sumTable = (sums: readonly BulkSum[], say: Say): Html =>
  table<BulkSum>(
    say('How much money it is about'),
    [
      { head: say('Currency'), cell: ({ currency }) => currency ?? say('no certain money') },
      { head: say('Number'), cell: ({ items }) => items, isNumber: true },
      {
        head: say('Money'),
        cell: ({ amountMinor, currency }) =>
          amountMinor !== null && currency !== null ? money(amountMinor, currency) : '',
        isNumber: true,
      },
    ],
    sums,
    '',
  );
