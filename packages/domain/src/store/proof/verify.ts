import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import { invariants } from './invariants.js';

/** An invariant of the books that does not hold, with some of the rows that break it. */
export type Finding = Readonly<{ invariant: string; meaning: string; count: number; examples: string[] }>;

export const invariantNames: readonly string[] = Object.keys(invariants);

/** Called before each check with the name of the invariant and its number, from 1. */
export type Checking = (invariant: string, nth: number) => void;

/** Checks every invariant of the books. Returns an empty list if all hold. */
export async function verify(survey: Run, checking: Checking = () => {}): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const [at, [invariant, { meaning, sql }]] of Object.entries(invariants).entries()) {
    checking(invariant, at + 1);
    const rows = await survey<{ broken: string; total: number }>(
      Prisma.sql`select broken, count(*) over ()::int as total from (${Prisma.raw(sql)}) found limit 5`,
    );
    if (rows.length === 0) continue;
    findings.push({ invariant, meaning, count: rows[0]!.total, examples: rows.map((row) => row.broken) });
  }
  return findings;
}
