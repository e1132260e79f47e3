import { Command, Option } from '@commander-js/extra-typings';
import type { ConsoleFilter, NewBulk, State, WaitingReason } from '@replenish/domain';
import { waitingReasons } from '@replenish/domain/rules';
import { ACTOR_OPTION, actorOf } from '../../actor.js';
import { withDomain, withProviders } from '../../books.js';
import { type Declare, JSON_ABOUT } from '../../command.js';
import { DESK_OPTION, deskFilter } from '../../desk-filter.js';
import * as values from '../../values.js';
import { present } from './present.js';
import { asJson, linesOf } from './words.js';

const REASON = ['--reason <text>', 'why it is done; filed with each item'] as const;
const STATES = ['CREATED', 'SUBMITTED', 'PENDING_CONFIRMATION', 'SUCCEEDED'] as const;
const AGE_MAX_S = 999_999_999;
const ageS = values.wholeNumber(0, AGE_MAX_S);

/** Stores a list of recharges whose providers are to be asked. Nothing is done to them yet. */
export const recheck: Declare = ({ env, say }) =>
  new Command('recheck')
    .description('freeze a list of recharges whose providers are to be asked; nothing is done to them yet')
    .requiredOption(...REASON)
    .addOption(new Option('--status <state>', 'only in this state; default: under way').choices(STATES))
    .addOption(
      new Option('--waiting <reason>', 'only what waits for this').choices([
        'any',
        ...waitingReasons,
      ] as const),
    )
    .option('--account <id>', 'only of this account', values.accountId)
    .option('--provider <name>', 'only at this provider')
    .option('--currency <code>', 'only in this currency', values.currency)
    .option('--older <seconds>', 'with --waiting: at least so old', ageS)
    .option('--younger <seconds>', 'with --waiting: younger than that', ageS)
    .option(...ACTOR_OPTION)
    .option('--json', JSON_ABOUT)
    .action(async ({ reason, actor, json, ...wanted }) => {
      const made = await withDomain(env, async (domain) => {
        const { rechargesToAsk } = await import('@replenish/assembly');
        const found = await rechargesToAsk(domain, filterOf(wanted));
        const filter = addressOf('/recharges', wanted);
        return present(domain, await frozen(domain, { ...found, verb: 'recheck', filter, reason }, actor));
      });
      say(json ? asJson(made) : linesOf(made));
    });

type Wishes = Readonly<{
  status?: State | undefined;
  waiting?: WaitingReason | 'any' | undefined;
  account?: string | undefined;
  provider?: string | undefined;
  currency?: string | undefined;
  older?: number | undefined;
  younger?: number | undefined;
}>;

const filterOf = ({
  status,
  waiting,
  account,
  older,
  younger,
  ...same
}: Wishes): Omit<ConsoleFilter, 'limit'> => ({
  ...same,
  ...{ states: status && [status], waiting, accountId: account, olderThanS: older, youngerThanS: younger },
});

/** Stores a list of open cases that are to be closed. Nothing is done to them yet. */
export const dismiss: Declare = ({ env, say }) =>
  new Command('dismiss')
    .description('freeze a list of open cases that are to be closed without a change; nothing is done yet')
    .requiredOption(...REASON)
    .option('--kind <kind>', 'only of this kind, such as unknown_order')
    .addOption(new Option(...DESK_OPTION).choices(['mine', 'unassigned', 'overdue']))
    .option(...ACTOR_OPTION)
    .option('--json', JSON_ABOUT)
    .action(async ({ reason, actor, json, kind, desk: share }) => {
      const desk = await deskFilter(env, share, actorOf(actor).actor);
      const made = await withProviders(env, ({ raw }) =>
        withDomain(env, async (domain) => {
          const { casesToDismiss } = await import('@replenish/assembly');
          const isRefunding = (name: string, account: string) => raw(name, account)?.refunds !== undefined;
          const found = await casesToDismiss(domain, isRefunding, { kind, desk });
          const filter = addressOf('/cases', { status: 'open', kind, desk: share });
          return present(domain, await frozen(domain, { ...found, verb: 'dismiss', filter, reason }, actor));
        }),
      );
      say(json ? asJson(made) : linesOf(made));
    });

async function frozen(
  { bulks }: Parameters<typeof present>[0],
  bulk: NewBulk,
  actor: string | undefined,
): Promise<string> {
  if (bulk.items.length === 0) throw new Error('nothing of this list allows it now');
  return bulks.create(bulk, actorOf(actor));
}

/** The address of the same list at the console. */
function addressOf(page: string, asked: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(asked).filter(([, value]) => value !== undefined);
  const query = new URLSearchParams(
    given.map(([name, value]): [string, string] => [name, String(value)]),
  ).toString();
  return query === '' ? page : `${page}?${query}`;
}
