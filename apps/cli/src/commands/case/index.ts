import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { Command, Option } from '@commander-js/extra-typings';
import type { Cases, CaseView, Desk, IsRefunding, ResolutionProblem, Verb } from '@replenish/domain';
import { ACTOR_OPTION, actorOf } from '../../actor.js';
import { withDomain, withProviders } from '../../books.js';
import { type CommandRun, type Declare, JSON_ABOUT, Misuse } from '../../command.js';
import { DESK_OPTION, deskFilter } from '../../desk-filter.js';
import { tableOf } from '../../table.js';
import * as values from '../../values.js';
import { assign, comment, deskBody, deskLines, due, send, untouched } from './desk.js';

const EXAMPLE = `
Example:
  replenish case resolve 01a200d6-b7fd-72e4-ab98-dfd489e62fd1 --verb adopt --reason 'on the statement' --evidence line.json`;

/** Commands about cases: they list the questions that people have to answer, and record the answers. */
export const caseCommand: Declare = (run) =>
  [list, show, resolve, assign, due, comment, send].reduce(
    (group, declare) => group.addCommand(declare(run)),
    new Command('case').description(
      'list the questions that a person has to answer, share them, and decide about one',
    ),
  );

const CASE = 'id of the case';
const ROWS = 20;

const list: Declare = ({ env, say, paint }) =>
  new Command('list')
    .description('list cases, newest first')
    .addOption(
      new Option('--status <status>', 'open, closed or all')
        .choices(['open', 'closed', 'all'])
        .default('open'),
    )
    .option('--kind <kind>', 'only of this kind, such as late_money')
    .option('--transaction <id>', 'only of this recharge', values.uuid)
    .addOption(new Option(...DESK_OPTION).choices(['mine', 'unassigned', 'overdue']))
    .option(...ACTOR_OPTION)
    .option('--limit <n>', 'most cases to show', values.wholeNumber(1, 1_000), ROWS)
    .option('--json', JSON_ABOUT)
    .action(async ({ json, status, kind, transaction, limit, desk, actor }) => {
      const filter = {
        ...{ viewer: null, kind, transactionId: transaction },
        desk: await deskFilter(env, desk, actorOf(actor).actor),
        status: status === 'all' ? undefined : (status as 'open' | 'closed'),
      };
      const found = await withCases(env, (cases, isRefunding) => newest(cases, filter, limit, isRefunding));
      if (json) return say(asJson(found));
      if (found.length === 0) return say('no case fits');
      const heads = ['case', 'kind', 'opened', 'amount', 'subject', 'verbs'];
      say(tableOf(heads, found.map(rowOf), paint));
    });

/** A page may hold fewer rows than its limit and still have a next one. */
async function newest(
  cases: Cases,
  filter: Omit<Parameters<Cases['list']>[0], 'limit' | 'beforeId'>,
  limit: number,
  isRefunding: IsRefunding,
): Promise<CaseView[]> {
  const found: CaseView[] = [];
  let beforeId: string | undefined;
  do {
    const page = await cases.list(
      { ...filter, beforeId, limit: Math.min(limit - found.length, 100) },
      isRefunding,
    );
    found.push(...page.rows);
    beforeId = page.nextId ?? undefined;
  } while (beforeId !== undefined && found.length < limit);
  return found;
}

const show: Declare = ({ env, say }) =>
  new Command('show')
    .description('show a case with its evidence and what can be decided about it')
    .argument('<caseId>', CASE, values.uuid)
    .option('--json', JSON_ABOUT)
    .action(async (caseId, { json }) => {
      const shown = await withCases(env, async (cases, isRefunding, desk) => {
        const found = await cases.one(caseId, null, isRefunding);
        if (!found) throw new Error(problems.unknown_case);
        const entry = (await desk.of([caseId])).get(caseId) ?? untouched;
        return { found, entry, history: await desk.history(caseId) };
      });
      say(
        json
          ? JSON.stringify({ ...bodyOf(shown.found), ...deskBody(shown) })
          : `${linesOf(shown.found)}\n${deskLines(shown)}`,
      );
    });

const resolve: Declare = ({ env, say }) =>
  new Command('resolve')
    .description('decide about a case')
    .argument('<caseId>', CASE, values.uuid)
    .addOption(
      new Option('--verb <verb>', 'the decision: one of the verbs of the case')
        .choices(['adopt', 'return', 'fail', 'resubmit', 'dismiss'])
        .makeOptionMandatory(),
    )
    .requiredOption('--reason <text>', 'why it is decided so')
    .option(
      '--evidence <file>',
      'JSON file with an object that shows it; needed for adopt, fail and resubmit',
    )
    .option('--actor <name>', 'who decides, if it is not the user of this machine')
    .option('--json', JSON_ABOUT)
    .addHelpText('after', EXAMPLE)
    .action(async (caseId, { json, verb, reason, evidence: file, actor = userInfo().username }) => {
      const evidence = file === undefined ? null : await evidenceIn(file);
      const ask = { caseId, reason, evidence, actor, role: 'operator', viewer: null, idempotencyKey: null };
      const answer = await withCases(env, (cases, isRefunding) =>
        cases.resolve({ ...ask, verb: verb as Verb }, isRefunding),
      );
      if (!answer.ok) throw new Error(problems[answer.problem]);
      say(json ? asJson(answer.resolved) : linesOf(answer.resolved));
    });

async function evidenceIn(file: string): Promise<Record<string, unknown>> {
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new Misuse(`--evidence cannot be read: ${error.message}`);
  });
  const value = parsed(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value) || Object.keys(value).length === 0)
    throw new Misuse(`--evidence must name a file with a JSON object that has a field: ${file} has none`);
  return value as Record<string, unknown>;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const problems: Readonly<Record<ResolutionProblem, string>> = {
  unknown_case: 'there is no such case',
  evidence_needed: 'this verb needs --evidence',
  approval_needed:
    'a second person has to approve it first, at the console under Approvals; then run the same command again',
  verb_not_offered: 'the case does not offer this verb now: `replenish case show` says which it does',
  case_closed: 'the case is closed already',
  key_used_with_other_body: 'the case was decided otherwise at the same moment',
  insufficient_balance: 'the wallet does not hold the money that goes out of it; nothing was changed',
  beyond_balance: 'the wallet cannot hold the money beside what is there; nothing was changed',
  account_needed: 'the evidence must name the account that the money belongs to, as accountId',
  unknown_account: 'nobody has recharged that account yet, so it is of no client',
  not_understood: 'only a newer release knows the recharge of the case',
};

function withCases<T>(
  env: CommandRun['env'],
  work: (cases: Cases, isRefunding: IsRefunding, desk: Desk) => Promise<T>,
): Promise<T> {
  return withProviders(env, ({ raw }) =>
    withDomain(env, ({ cases, desk }) =>
      work(cases, (name, account) => raw(name, account)?.refunds !== undefined, desk),
    ),
  );
}

const rowOf = (one: CaseView): string[] => [
  ...[one.id, one.kind, one.openedAt.toISOString(), amountOf(one), one.subject],
  one.verbs.join(', ') || '-',
];

const amountOf = ({ amountMinor, currency }: CaseView): string =>
  amountMinor === null ? '-' : `${amountMinor} ${currency}`;

const linesOf = ({ evidence, verbs, resolution, ...one }: CaseView): string =>
  Object.entries({
    ...{ case: one.id, kind: one.kind, subject: one.subject, transaction: one.transactionId ?? '-' },
    ...{ account: one.accountId ?? '-', amount: amountOf({ ...one, evidence, verbs, resolution }) },
    ...{ opened: one.openedAt.toISOString(), closed: one.closedAt?.toISOString() ?? '-' },
    ...{ verbs: verbs.join(', ') || '-', evidence: JSON.stringify(evidence) },
    ...(resolution && {
      decided: `${resolution.verb ?? 'by later facts'} (${resolution.actor ?? 'nobody'}): ${resolution.reason}`,
    }),
  })
    .map(([name, value]) => `${name.padEnd(12)} ${value.replace(/\p{Cc}/gu, ' ')}`)
    .join('\n');

/** Cases as JSON, in the form of the API. */
const asJson = (found: CaseView | readonly CaseView[]): string =>
  JSON.stringify(Array.isArray(found) ? found.map(bodyOf) : bodyOf(found as CaseView));

const bodyOf = ({ id, amountMinor, clientId: _, accountId: __, ...shown }: CaseView) => ({
  ...{ caseId: id, ...shown },
  amount: amountMinor === null ? null : Number(amountMinor),
});
