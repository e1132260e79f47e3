import { Command } from '@commander-js/extra-typings';
import type { Domain, PlanProgress, PlanVerb } from '@replenish/domain';
import { withDomain } from '../../books.js';
import { type CommandRun, type Declare, JSON_ABOUT } from '../../command.js';
import { withProgress } from '../../progress.js';
import * as values from '../../values.js';
import { storedPlan, wantedPlan } from './file.js';
import { asJson, barOf, linesOf } from './words.js';

const EXAMPLE = `
Example:
  replenish plan create november.csv --client shop --budget 1000000
  replenish plan start november.csv --client shop`;

/** Many recharges that are checked together and started together. */
export const plan: Declare = (run) =>
  [create, start, show, moving('pause'), moving('resume'), moving('cancel')].reduce(
    (group, declare) => group.addCommand(declare(run)),
    new Command('plan').description('create a plan of many recharges, start it, and see how far it is'),
  );

const FILE =
  'file with the lines: CSV with line,accountId,amount,currency,paymentMethod,orderReference; or JSON';
const PLAN = 'the file that the plan was made of, or the id of the plan';
const CLIENT = 'id or name of the client that the plan belongs to';
const NAME = 'name of the plan, if it is not that of the file';
const CHARSET = 'charset of the file, such as gbk, if it is not UTF-8 or UTF-16';

const create: Declare = ({ env, say }) =>
  new Command('create')
    .description('check a file and store it as a draft; the same file again is the same plan')
    .argument('<file>', FILE)
    .requiredOption('--client <client>', CLIENT)
    .option('--name <name>', NAME)
    .option('--budget <amount>', 'the most that the lines may add up to, in minor units', values.minorUnits)
    .option(
      '--canary <amount>',
      'the most that goes to a new payee before something has arrived there, in minor units',
      values.minorUnits,
    )
    .option('--charset <name>', CHARSET, values.charset)
    .option('--json', JSON_ABOUT)
    .addHelpText('after', EXAMPLE)
    .action(async (file, { json, ...wishes }) => {
      const stored = await withDomain(env, (domain) => storedPlan({ env, domain }, file, wishes));
      say(json ? asJson(stored) : linesOf(stored));
    });

const start: Declare = (run) =>
  new Command('start')
    .description('start a plan and follow it; a file that is no plan yet becomes one')
    .argument('<plan>', PLAN)
    .option('--client <client>', CLIENT)
    .option('--name <name>', NAME)
    .option('--charset <name>', CHARSET, values.charset)
    .option('--no-follow', 'end at once; the plan goes on by itself either way')
    .option('--json', JSON_ABOUT)
    .addHelpText('after', EXAMPLE)
    .action(async (given, { json, follow, ...wishes }) => {
      const { env, say, exitWith } = run;
      const ended = await withDomain(env, async (domain) => {
        const wanted =
          (await wantedPlan(domain, given, wishes)) ?? (await storedPlan({ env, domain }, given, wishes));
        const moved = await domain.plans.move({ planId: wanted.id, verb: 'start', by: 'operator' });
        if (!moved.ok)
          throw new Error(`the plan is ${moved.plan?.status ?? 'gone'}: only a draft can be started`);
        return follow ? followed(run, domain, wanted.id) : present(domain, wanted.id);
      });
      if (ended.sums.some(({ status }) => status === 'failed')) exitWith(1);
      say(json ? asJson(ended) : linesOf(ended));
    });

const show: Declare = ({ env, say }) =>
  new Command('show')
    .description('show how far a plan is')
    .argument('<plan>', PLAN)
    .option('--client <client>', CLIENT)
    .option('--name <name>', NAME)
    .option('--json', JSON_ABOUT)
    .action(async (given, { json, ...wishes }) => {
      const found = await withDomain(env, (domain) => wantedPlan(domain, given, wishes));
      if (!found) throw new Error('there is no such plan');
      say(json ? asJson(found) : linesOf(found));
    });

const moving =
  (verb: Extract<PlanVerb, 'pause' | 'resume' | 'cancel'>): Declare =>
  ({ env, say }) =>
    new Command(verb)
      .description(descriptions[verb])
      .argument('<plan>', PLAN)
      .option('--client <client>', CLIENT)
      .option('--name <name>', NAME)
      .option('--json', JSON_ABOUT)
      .action(async (given, { json, ...wishes }) => {
        const after = await withDomain(env, async (domain) => {
          const found = await wantedPlan(domain, given, wishes);
          if (!found) throw new Error('there is no such plan');
          const moved = await domain.plans.move({ planId: found.id, verb, by: 'operator' });
          if (!moved.ok) throw new Error(`the plan is ${moved.plan?.status ?? 'gone'}`);
          return present(domain, found.id);
        });
        say(json ? asJson(after) : linesOf(after));
      });

const descriptions = {
  pause: 'create no more recharges of a plan; those that are created go on',
  resume: 'go on with a paused plan',
  cancel: 'end a plan; recharges that are created go on',
} as const;

const FOLLOW_EVERY_MS = 500;

/** Shows the progress of the plan until it stops running. */
async function followed(
  screen: Pick<CommandRun, 'terminal' | 'complain'>,
  { plans }: Domain,
  planId: string,
): Promise<PlanProgress> {
  const { setTimeout: delay } = await import('node:timers/promises');
  return withProgress(screen, 'starting the plan', async (tell) => {
    for (;;) {
      const now = await present({ plans }, planId);
      if (now.status !== 'running') return now;
      tell(barOf(now));
      await delay(FOLLOW_EVERY_MS);
    }
  });
}

async function present({ plans }: Pick<Domain, 'plans'>, planId: string): Promise<PlanProgress> {
  const now = await plans.one(planId, null);
  if (!now) throw new Error('there is no such plan');
  return now;
}
