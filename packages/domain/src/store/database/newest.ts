import { Prisma } from '../../generated/client.js';

/** A place in an order by time, newest first; `id` decides between rows of one moment. */
export type Place = Readonly<{ at: Prisma.Sql; id: Prisma.Sql }>;

/**
 * Where a page begins: behind the row that the page before ended with (`cursor`), and never beyond `end`, whatever a
 * cursor says. It is one place and not two bounds: of two upper bounds of one column Postgres enters the index at
 * either, and reads from there to the other.
 * @param lowestId no row has a lower one
 */
export function placeBehind(cursor: Place | null, end: Prisma.Sql, lowestId: Prisma.Sql): Place {
  if (!cursor) return { at: end, id: lowestId };
  return {
    at: Prisma.sql`least(${cursor.at}, ${end})`,
    id: Prisma.sql`case when ${cursor.at} < ${end} then ${cursor.id} else ${lowestId} end`,
  };
}

/** A moment as a bound, or the end of all time on that side. */
export const momentOr = (moment: Date | null, otherwise: 'infinity' | '-infinity'): Prisma.Sql =>
  Prisma.sql`${moment?.toISOString() ?? otherwise}::timestamptz`;

/**
 * The newest `limit` rows of many streams, each of which an index holds in the order of time. The statement that uses
 * this is `with recursive`, has a part `streams` with the columns `names`, and finds `at` and `id` in `newest_rows`.
 *
 * It merges as a person would with a pile per stream: look at the top of each, take the newest, turn up the next one of
 * that pile. So it reads one row per stream and one per result, however long the streams are; to take `limit` rows of
 * each and sort them would read their product.
 *
 * @param walk the rows of a stream behind a place, newest first, where the condition holds; one row of it is read. The
 *   condition belongs into its `where`: Postgres asks a condition of the join only after it has looked at every stream
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
  // Only the streams with the newest tops can have one of the newest rows.
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
