import { Prisma } from '../../generated/client.js';

/** The cases of one person, those of nobody, or those whose due time is over. */
export type DeskFilter =
  | Readonly<{ assignee: string | null }>
  | Readonly<{
      /** The time from the opening of a case to its due time, where a person has set none. */
      overdueAfterMs: number;
    }>;

/** A condition on the alias `some_case`. */
export function onDesk(filter: DeskFilter): Prisma.Sql {
  if ('overdueAfterMs' in filter)
    return Prisma.sql`some_case.closed_at is null and coalesce(
      (select desk.due_at from case_desk desk where desk.case_id = some_case.id),
      some_case.opened_at + ${filter.overdueAfterMs}::float8 * interval '1 ms') <= now()`;
  const assignee = Prisma.sql`(select desk.assignee from case_desk desk where desk.case_id = some_case.id)`;
  return filter.assignee === null
    ? Prisma.sql`${assignee} is null`
    : Prisma.sql`${assignee} = ${filter.assignee}`;
}
