import { Command } from '@commander-js/extra-typings';
import type { Actor, BulkView, Domain } from '@replenish/domain';
import { mayAs } from '@replenish/domain/rules';
import { ACTOR_OPTION, actorOf } from '../../actor.js';
import { withDomain } from '../../books.js';
import { type CommandRun, type Declare, JSON_ABOUT } from '../../command.js';
import { withProgress } from '../../progress.js';
import { tableOf } from '../../table.js';
import * as values from '../../values.js';
import { dismiss, recheck } from './lists.js';
import { present } from './present.js';
import { asJson, barOf, bodyOf, itemRowOf, linesOf, rowOf, type ShownBulk } from './words.js';

const EXAMPLE = `
Example:
  replenish bulk dismiss --kind unknown_order --reason 'old test orders'
  replenish bulk show <bulkId> --items
  replenish bulk start <bulkId> --reason 'looked at them' --actor ada`;

/** Verbs on many recharges or cases. None of them moves money. */
export const bulk: Declare = (run) =>
  [recheck, dismiss, list, show, start, stop].reduce(
    (group, declare) => group.addCommand(declare(run)),
    new Command('bulk')
      .description('do a verb that moves no money to a list of recharges or cases')
      .addHelpText('after', EXAMPLE),
  );

const BULK = 'id of the bulk verb';
const ROWS = 20;
const REASON = ['--reason <text>', 'why; filed with the act'] as const;

const list: Declare = ({ env, say, paint }) =>
  new Command('list')
    .description('list bulk verbs, newest first')
    .option('--limit <n>', 'most to show', values.wholeNumber(1, 1_000), ROWS)
    .option('--json', JSON_ABOUT)
    .action(async ({ limit, json }) => {
      const found = await withDomain(env, ({ bulks }) => bulks.list(null, limit));
      if (json) return say(JSON.stringify(found.map(bodyOf)));
      if (found.length === 0) return say('there is no bulk verb yet');
      say(tableOf(['bulk', 'verb', 'status', 'done', 'actor', 'reason'], found.map(rowOf), paint));
    });

const show: Declare = ({ env, say, paint }) =>
  new Command('show')
    .description('show what a bulk verb is about and how far it is')
    .argument('<bulkId>', BULK, values.uuid)
    .option('--items', 'also what became of each item')
    .option('--json', JSON_ABOUT)
    .action(async (id, { items: wantsItems, json }) => {
      const { shown, items } = await withDomain(env, async (domain) => ({
        shown: await present(domain, id),
        items: wantsItems ? await domain.bulks.items(id) : undefined,
      }));
      if (json) return say(asJson(shown, items));
      say(linesOf(shown));
      if (items) say(tableOf(['subject', 'amount', 'outcome', 'at'], items.map(itemRowOf), paint));
    });

const start: Declare = (run) =>
  new Command('start')
    .description('have the workers carry out a bulk verb, in the name of a user who may decide cases')
    .argument('<bulkId>', BULK, values.uuid)
    .requiredOption(...REASON)
    .option(...ACTOR_OPTION)
    .option('--no-follow', 'end at once; it goes on by itself either way')
    .option('--json', JSON_ABOUT)
    .action(async (id, { reason, actor, follow, json }) => {
      const by = actorOf(actor);
      const shown = await withDomain(run.env, async (domain) => {
        const { bulk } = await present(domain, id);
        if (!(await mayDecide(domain, by.actor)))
          throw new Error(`no user ${by.actor} may decide cases, so it would stop: name one with --actor`);
        if (!(await domain.bulks.start(id, by))) throw new Error('nothing was done: it is no draft any more');
        await filed(domain, bulk, { ...by, verb: 'bulk_start', reason });
        return follow ? followed(run, domain, id) : present(domain, id);
      });
      if (shown.bulk.status === 'stopped') run.exitWith(1);
      run.say(json ? asJson(shown) : linesOf(shown));
    });

/** Files the act as the console does. */
const filed = (
  { operators }: Pick<Domain, 'operators'>,
  { id, verb }: BulkView,
  act: Actor & Readonly<{ verb: string; reason: string }>,
): Promise<unknown> => operators.file({ ...act, subject: `bulk ${verb} ${id}` });

async function mayDecide({ operators }: Domain, name: string): Promise<boolean> {
  const found = (await operators.list()).find((one) => one.name === name && one.disabledAt === null);
  return found !== undefined && mayAs(found.role, 'operator');
}

const stop: Declare = ({ env, say }) =>
  new Command('stop')
    .description('end a bulk verb before its next item; what was done stays done')
    .argument('<bulkId>', BULK, values.uuid)
    .requiredOption(...REASON)
    .option(...ACTOR_OPTION)
    .option('--json', JSON_ABOUT)
    .action(async (id, { reason, actor, json }) => {
      const shown = await withDomain(env, async (domain) => {
        const { bulk } = await present(domain, id);
        if (!(await domain.bulks.stop(id))) throw new Error('nothing was done: it has ended already');
        await filed(domain, bulk, { ...actorOf(actor), verb: 'bulk_stop', reason });
        return present(domain, id);
      });
      say(json ? asJson(shown) : linesOf(shown));
    });

const FOLLOW_EVERY_MS = 500;

/** Shows the progress of a bulk verb for as long as it runs. */
async function followed(
  screen: Pick<CommandRun, 'terminal' | 'complain'>,
  domain: Domain,
  id: string,
): Promise<ShownBulk> {
  const { setTimeout: delay } = await import('node:timers/promises');
  return withProgress(screen, 'starting', async (tell) => {
    for (;;) {
      const now = await present(domain, id);
      if (now.bulk.status !== 'running') return now;
      tell(barOf(now.bulk));
      await delay(FOLLOW_EVERY_MS);
    }
  });
}
