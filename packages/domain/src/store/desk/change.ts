import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import { isUuid, storable } from '../database/storable.js';
import { type Actor, COMMAND_LINE, filedAct } from '../operators/file-action.js';

/**
 * Why a change was not made.
 * - `case_closed`: the case is decided.
 * - `changed`: somebody else has changed it since the person looked.
 * - `unknown_person`: nobody of that name may decide cases.
 * - `too_long`: a comment has COMMENT_MAX characters at most, and one at least.
 * - `no_channel`: no channel of notices is configured.
 */
export type DeskProblem =
  | 'unknown_case'
  | 'case_closed'
  | 'changed'
  | 'unknown_person'
  | 'too_long'
  | 'no_channel';

/** A change is made on the version that the person saw, so the second of two people gets `changed`. */
export type DeskChange = Readonly<{ caseId: string; version: number }>;

/** Characters of a comment. */
export const COMMENT_MAX = 2_000;

export function assign(
  run: Run,
  id: string,
  { assignee, ...change }: DeskChange & Readonly<{ assignee: string | null }>,
  by: Actor,
): Promise<DeskProblem | null> {
  // Who asks at the console has a session with the right role. At the command line anybody may have any name.
  const isAtConsole = by.role !== COMMAND_LINE;
  const isKnown =
    assignee === null || (assignee === by.actor && isAtConsole)
      ? Prisma.sql`true`
      : Prisma.sql`exists (
          select from operator
          where name = ${assignee} and disabled_at is null and role in ('operator', 'admin'))`;
  return changed(run, change, {
    ...{ id, by, isKnown, column: Prisma.sql`assignee`, value: Prisma.sql`${assignee}::text` },
    ...{ verb: 'assign', words: assignee === null ? 'given back' : `given to ${assignee}` },
  });
}

export const setDue = (
  run: Run,
  id: string,
  { dueAt, ...change }: DeskChange & Readonly<{ dueAt: Date | null }>,
  by: Actor,
): Promise<DeskProblem | null> => {
  const at = dueAt?.toISOString() ?? null;
  return changed(run, change, {
    ...{ id, by, isKnown: Prisma.sql`true` },
    ...{ column: Prisma.sql`due_at`, value: Prisma.sql`${at}::timestamptz` },
    ...{ verb: 'due', words: at === null ? 'due by the default' : `due ${at}` },
  });
};

type Written = Readonly<{
  id: string;
  by: Actor;
  isKnown: Prisma.Sql;
  column: Prisma.Sql;
  value: Prisma.Sql;
  verb: string;
  words: string;
}>;

async function changed(
  run: Run,
  { caseId, version }: DeskChange,
  { id, by, isKnown, column, value, verb, words }: Written,
): Promise<DeskProblem | null> {
  if (!isUuid(caseId)) return 'unknown_case';
  const rows = await run<ChangeOutcome & { isKnown: boolean }>(Prisma.sql`
    with
    ${openCase(caseId)},
    done as (
      insert into case_desk as known (case_id, ${column})
      select id, ${value} from open_case where ${isKnown}
      on conflict (case_id) do update
      set ${column} = excluded.${column}, version = known.version + 1
      where known.version = ${version}::int
      returning case_id),
    ${filedAct({ ...{ id, ...by, verb, subject: caseId.toLowerCase(), caseId }, reason: words })}
    select ${outcomeColumns(caseId)}, ${isKnown} as "isKnown"`);
  const { isThere, isOpen, isDone, isKnown: isPersonKnown } = rows[0]!;
  if (isDone) return null;
  if (!isThere) return 'unknown_case';
  if (!isOpen) return 'case_closed';
  return isPersonKnown ? 'changed' : 'unknown_person';
}

/** What a person says about a case. `form` is an id of the form, and a form that comes twice has one effect. */
export type SaidOnDesk = Readonly<{ caseId: string; text: string; form: string }>;

export const comment = (run: Run, id: string, said: SaidOnDesk, by: Actor): Promise<DeskProblem | null> =>
  filedSaying(run, id, said, { by, verb: 'comment', staged: Prisma.empty });

/** Stages a notice about a case per open channel, in the statement that files the act. */
export async function sendOut(
  run: Run,
  id: string,
  said: SaidOnDesk,
  by: Actor,
): Promise<DeskProblem | null> {
  const open = await run(Prisma.sql`select from notice_channel where is_open limit 1`);
  if (open.length === 0) return 'no_channel';
  return filedSaying(run, id, said, {
    ...{ by, verb: 'send' },
    staged: Prisma.sql`,
      (select stage_notice('case_sent', some_case.id::text, jsonb_build_object(
          'caseId', some_case.id, 'caseKind', some_case.kind, 'accountId', some_case.account_id,
          'amount', some_case.amount_minor::text, 'currency', some_case.currency,
          'openedAt', to_char(some_case.opened_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI'),
          'by', ${by.actor}::text, 'note', ${storable(said.text, COMMENT_MAX)}::text),
        now(), 'infinity')::text
      from reconciliation_case some_case
      join done on done.case_id = some_case.id)`,
  });
}

async function filedSaying(
  run: Run,
  id: string,
  { caseId, text, form }: SaidOnDesk,
  { by, verb, staged }: Readonly<{ by: Actor; verb: 'comment' | 'send'; staged: Prisma.Sql }>,
): Promise<DeskProblem | null> {
  if (!isUuid(caseId) || !isUuid(form)) return 'unknown_case';
  if (text === '' || text.length > COMMENT_MAX) return 'too_long';
  const words = storable(text, COMMENT_MAX);
  const rows = await run<ChangeOutcome>(Prisma.sql`
    with
    ${openCase(caseId)},
    done as (
      insert into case_desk as known (case_id, version, comment_form)
      select id, 0, ${form}::uuid from open_case
      on conflict (case_id) do update
      set comment_form = excluded.comment_form
      where known.comment_form is distinct from excluded.comment_form
      returning case_id),
    ${filedAct({ ...{ id, ...by, verb, subject: caseId.toLowerCase(), caseId }, reason: words })}
    select ${outcomeColumns(caseId)}${staged}`);
  const { isThere, isOpen } = rows[0]!;
  if (!isThere) return 'unknown_case';
  return isOpen ? null : 'case_closed';
}

type ChangeOutcome = Readonly<{ isThere: boolean; isOpen: boolean; isDone: boolean }>;

/** The lock of the case makes a change and a decision of it wait for each other. */
const openCase = (caseId: string): Prisma.Sql => Prisma.sql`
    open_case as materialized (
      select id from reconciliation_case where id = ${caseId}::uuid and closed_at is null for update)`;

const outcomeColumns = (caseId: string): Prisma.Sql => Prisma.sql`
      exists (select from reconciliation_case where id = ${caseId}::uuid) as "isThere",
      exists (select from open_case) as "isOpen",
      exists (select from done) as "isDone"`;
