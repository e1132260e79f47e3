import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import { isUuid, storable } from '../database/storable.js';
import { type Actor, filedAct } from '../operators/file-action.js';

/**
 * Why a change was not made.
 * - `case_closed`: the case is decided.
 * - `changed`: somebody else has changed it since the person looked.
 * - `unknown_person`: nobody of that name may decide cases.
 * - `too_long`: a comment has COMMENT_MAX characters at most, and one at least.
 */
export type DeskProblem = 'unknown_case' | 'case_closed' | 'changed' | 'unknown_person' | 'too_long';

/** A change is made on the version that the person saw, so the second of two people is told. */
export type DeskChange = Readonly<{ caseId: string; version: number }>;

/** Characters of a comment. */
export const COMMENT_MAX = 2_000;

export function assign(
  run: Run,
  id: string,
  { assignee, ...change }: DeskChange & Readonly<{ assignee: string | null }>,
  by: Actor,
): Promise<DeskProblem | null> {
  // Who asks has a session with the right role.
  const isKnown =
    assignee === null || assignee === by.actor
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

export async function comment(
  run: Run,
  id: string,
  { caseId, text, form }: Readonly<{ caseId: string; text: string; form: string }>,
  by: Actor,
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
    ${filedAct({ ...{ id, ...by, verb: 'comment', subject: caseId.toLowerCase(), caseId }, reason: words })}
    select ${outcomeColumns(caseId)}`);
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
