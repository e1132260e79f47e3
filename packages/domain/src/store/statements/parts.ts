import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import type { StatementOf } from './store-lines.js';

export type Period = StatementOf & Readonly<{ from: Date; to: Date }>;

/** The place of a line or a recharge in the order of its part. `at` is a text, because a Date drops microseconds. */
type ComparedPlace = Readonly<{ at: string; id: string }>;

/** What is after one place and not after another. A place that is missing is no bound. */
export type ComparedPart = Period & Readonly<{ after?: ComparedPlace | null; upTo?: ComparedPlace | null }>;

// A recharge that takes longer than a week to succeed is not sought in the statements of its first days.
const WEEK = Prisma.sql`interval '7 days'`;

// A line costs some ten buffers, so a part takes a tenth of a second.
const PART_MAX = 5_000;

/**
 * The condition on the lines of a part. The bounds of `at` are there for the index. For the bounds of pairs alone it
 * would read the lines of all parts before, too.
 */
export const linesIn = ({
  provider,
  providerAccount,
  from,
  to,
  after,
  upTo,
}: ComparedPart): Prisma.Sql => Prisma.sql`
  line.provider = ${provider} and line.provider_account = ${providerAccount}
    and line.at >= ${after ? Prisma.sql`${after.at}::timestamptz` : Prisma.sql`${from}`} and line.at < ${to}
    ${after ? Prisma.sql`and (line.at, line.id) > (${after.at}::timestamptz, ${after.id}::uuid)` : Prisma.empty}
    ${
      upTo
        ? Prisma.sql`and line.at <= ${upTo.at}::timestamptz
          and (line.at, line.id) <= (${upTo.at}::timestamptz, ${upTo.id}::uuid)`
        : Prisma.empty
    }`;

/** The condition on the recharges of a part. They are found by their ids, which rise with time. */
export const rechargesIn = ({ from, to, after, upTo }: ComparedPart): Prisma.Sql => Prisma.sql`
  ${after ? Prisma.sql`recharge.id > ${after.id}::uuid` : Prisma.sql`recharge.id >= uuid_from(${from}::timestamptz - ${WEEK})`}
    and ${upTo ? Prisma.sql`recharge.id <= ${upTo.id}::uuid` : Prisma.sql`recharge.id < uuid_from(${to}::timestamptz)`}`;

/** The last place of the part that begins here. None: the part goes to the end of the period. */
const ends = {
  lines: (part: ComparedPart, partMax: number): Prisma.Sql => Prisma.sql`
    select line.at::text as at, line.id
    from statement_line line
    where ${linesIn(part)}
    order by line.at, line.id
    offset ${partMax - 1}::int
    limit 1`,
  recharges: (part: ComparedPart, partMax: number): Prisma.Sql => Prisma.sql`
    select recharge.id, '' as at
    from recharge_transaction recharge
    where ${rechargesIn(part)}
    order by recharge.id
    offset ${partMax - 1}::int
    limit 1`,
} as const;

/** The parts of a period, in order, each of `partMax` lines or recharges at most. */
export async function* partsOf(
  run: Run,
  period: Period,
  what: keyof typeof ends,
  partMax = PART_MAX,
): AsyncGenerator<ComparedPart> {
  let after: ComparedPlace | null = null;
  do {
    const found: ComparedPlace[] = await run<ComparedPlace>(ends[what]({ ...period, after }, partMax));
    const upTo: ComparedPlace | null = found[0] ?? null;
    yield { ...period, after, upTo };
    after = upTo;
  } while (after !== null);
}
