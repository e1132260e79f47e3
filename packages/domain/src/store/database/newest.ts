import { Prisma } from '../../generated/client.js';

/** A place in an order by time, newest first. `id` orders the rows of one moment. */
export type Place = Readonly<{ at: Prisma.Sql; id: Prisma.Sql }>;

/**
 * The place where a page begins: after the last row of the previous page (`cursor`), but never later than `end`. The
 * result is one place instead of two bounds. With two upper bounds on one column, Postgres may start at the wrong one
 * in the index and read all rows between them.
 * @param lowestId no row has a lower id
 */
export function placeBehind(cursor: Place | null, end: Prisma.Sql, lowestId: Prisma.Sql): Place {
  if (!cursor) return { at: end, id: lowestId };
  return {
    at: Prisma.sql`least(${cursor.at}, ${end})`,
    id: Prisma.sql`case when ${cursor.at} < ${end} then ${cursor.id} else ${lowestId} end`,
  };
}

/** A moment as a bound. Without a moment the bound is infinity on the given side. */
export const momentOr = (moment: Date | null, otherwise: 'infinity' | '-infinity'): Prisma.Sql =>
  Prisma.sql`${moment?.toISOString() ?? otherwise}::timestamptz`;

/**
 * Selects the newest `limit` rows of many streams, each of which an index has in the order of time. The statement that
 * uses these parts is `with recursive`, has a part `streams` with the columns `names`, and finds the columns `at` and
 * `id` in `newest_rows`.
 *
 * The parts merge the streams: they read the first row of each, take the newest one, and read the next row of its
 * stream. So they read one row per stream and one per result, for streams of any length. Sorting `limit` rows of each
 * stream would read the product of both numbers.
 * @param walk selects the rows of a stream after a place, newest first, for which the condition holds. The parts read
 *   one of them. The condition must be in the `where` of the walk: Postgres checks a condition of the join only after
 *   it has looked into every stream
 */
export function newestOf(options: {
  names: readonly string[];
  walk: (stream: string, behind: Place, condition: Prisma.Sql) => Prisma.Sql;
  behind: Place;
  limit: number;
}): Prisma.Sql {
  const { names, walk, behind, limit } = options;
  const columnsOf = (of: string) => Prisma.raw(names.map((name) => `${of}.${name}`).join(', '));
  const place = (of: string): Place => ({ at: Prisma.raw(`${of}.at`), id: Prisma.raw(`${of}.id`) });
  // Only the streams whose first rows are the newest can hold one of the newest rows.
  return Prisma.sql`
  tops as materialized (
    select ${columnsOf('stream')}, first.at, first.id
    from streams stream
    cross join lateral (${walk('stream', behind, Prisma.sql`true`)} limit 1) first
    order by first.at desc, first.id desc
    limit ${limit}::int),
  merged as (
    select 1 as step, tops.* from tops
    union all
    select pile.step + 1, ${columnsOf('pile')}, coalesce(next.at, pile.at), coalesce(next.id, pile.id)
    from (select merged.*, row_number() over (order by at desc, id desc) as rank from merged) pile
    left join lateral (${walk('pile', place('pile'), Prisma.sql`pile.rank = 1`)} limit 1) next on true
    where pile.step < ${limit}::int and (pile.rank > 1 or next.id is not null)),
  newest_rows as materialized (
    select at, id
    from (select step, at, id, row_number() over (partition by step order by at desc, id desc) as rank from merged) pile
    where rank = 1)`;
}
