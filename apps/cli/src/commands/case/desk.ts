import { randomUUID } from 'node:crypto';
import { Command } from '@commander-js/extra-typings';
import type { Desk, DeskAct, DeskEntry, DeskProblem } from '@replenish/domain';
import { ACTOR_OPTION, actorOf } from '../../actor.js';
import { withDomain } from '../../books.js';
import { type CommandRun, type Declare, JSON_ABOUT, Misuse } from '../../command.js';
import * as values from '../../values.js';

const CASE = 'id of the case';
const VERSION_MAX = 1_000_000_000;
const SEEN = [
  '--seen <n>',
  '`desk` of the case as you saw it: refused if it was changed since. Default: as it is now',
  values.wholeNumber(0, VERSION_MAX),
] as const;

/** The entry of a case that nobody has changed yet. */
export const untouched: DeskEntry = { assignee: null, dueAt: null, version: 0 };

export const assign: Declare = (run) =>
  new Command('assign')
    .description('give an open case to a user of the console who may decide it, or to nobody')
    .argument('<caseId>', CASE, values.uuid)
    .option('--to <name>', 'the user')
    .option('--nobody', 'take it from whom it was given to')
    .option(...SEEN)
    .option(...ACTOR_OPTION)
    .option('--json', JSON_ABOUT)
    .action(async (caseId, { to, nobody, seen, actor, json }) => {
      if ((to === undefined) === (nobody === undefined)) throw new Misuse('give either --to or --nobody');
      await changed(run, { caseId, seen, json }, (desk, change) =>
        desk.assign({ ...change, assignee: to ?? null }, actorOf(actor)),
      );
    });

export const due: Declare = (run) =>
  new Command('due')
    .description('set until when an open case is to be decided')
    .argument('<caseId>', CASE, values.uuid)
    .option('--at <time>', 'the due time', values.time)
    .option('--default', 'CASES_DUE_MS after the case was opened')
    .option(...SEEN)
    .option(...ACTOR_OPTION)
    .option('--json', JSON_ABOUT)
    .action(async (caseId, { at, default: byDefault, seen, actor, json }) => {
      if ((at === undefined) === (byDefault === undefined)) throw new Misuse('give either --at or --default');
      await changed(run, { caseId, seen, json }, (desk, change) =>
        desk.setDue({ ...change, dueAt: at ?? null }, actorOf(actor)),
      );
    });

export const comment: Declare = (run) =>
  new Command('comment')
    .description('add a comment to an open case; comments are never changed')
    .argument('<caseId>', CASE, values.uuid)
    .requiredOption('--text <text>', 'the comment')
    .option(...ACTOR_OPTION)
    .option('--json', JSON_ABOUT)
    .action(async (caseId, { text, actor, json }) => {
      const said = { caseId, text, form: randomUUID() };
      await changed(run, { caseId, json }, (desk) => desk.comment(said, actorOf(actor)));
    });

export const send: Declare = (run) =>
  new Command('send')
    .description('send an open case with a note to all channels of notices')
    .argument('<caseId>', CASE, values.uuid)
    .requiredOption('--note <text>', 'what to say beside kind, money, age and link of the case')
    .option(...ACTOR_OPTION)
    .option('--json', JSON_ABOUT)
    .action(async (caseId, { note, actor, json }) => {
      const said = { caseId, text: note, form: randomUUID() };
      await changed(run, { caseId, json }, (desk) => desk.send(said, actorOf(actor)));
    });

type WantedChange = Readonly<{ caseId: string; seen?: number | undefined; json: true | undefined }>;

/** Makes a change on the version that the person saw, and shows the desk afterwards. */
async function changed(
  { env, say }: CommandRun,
  { caseId, seen, json }: WantedChange,
  change: (desk: Desk, on: { caseId: string; version: number }) => Promise<DeskProblem | null>,
): Promise<void> {
  const shown = await withDomain(env, async ({ desk }) => {
    const version = seen ?? (await entryOf(desk, caseId)).version;
    const problem = await change(desk, { caseId, version });
    if (problem !== null) throw new Error(problems[problem]);
    return { entry: await entryOf(desk, caseId), history: await desk.history(caseId) };
  });
  say(json ? JSON.stringify({ caseId, ...deskBody(shown) }) : deskLines(shown));
}

const entryOf = async (desk: Desk, caseId: string): Promise<DeskEntry> =>
  (await desk.of([caseId])).get(caseId) ?? untouched;

const problems: Readonly<Record<DeskProblem, string>> = {
  unknown_case: 'there is no such case',
  case_closed: 'nothing was done: the case is decided already',
  changed: 'nothing was done: somebody else has changed it since: see `replenish case show`',
  unknown_person: 'nothing was done: nobody of that name can decide cases: see `replenish user list`',
  too_long: 'nothing was done: a comment has 1 to 2,000 characters',
  no_channel: 'nothing was done: no channel of notices is configured',
};

/** How people share a case, and what they did about it. */
export type CaseDesk = Readonly<{ entry: DeskEntry; history: readonly DeskAct[] }>;

export const deskBody = ({ entry, history }: CaseDesk) => ({
  ...{ assignee: entry.assignee, dueAt: entry.dueAt, desk: entry.version },
  acts: history.map(({ at, actor, verb, text }) => ({ at, actor, verb, text })),
});

export const deskLines = ({ entry, history }: CaseDesk): string =>
  [
    ['assignee', entry.assignee ?? '-'] as const,
    ['due', entry.dueAt?.toISOString() ?? 'by the default'] as const,
    ['desk', String(entry.version)] as const,
    ...history.map(({ at, actor, verb, text }) => [verb, `${at.toISOString()} ${actor}: ${text}`] as const),
  ]
    .map(([name, value]) => `${name.padEnd(12)} ${value.replace(/\p{Cc}/gu, ' ')}`)
    .join('\n');
