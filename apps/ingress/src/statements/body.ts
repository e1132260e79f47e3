import { type AccountMonth, type MonthLine, openTally } from '@replenish/domain';
import { type StatementLanguage, textOf } from './words.js';

/** The fields of a statement before its lines, in the order of its forms. */
export type StatementHead = Readonly<{
  accountId: string;
  currency: string;
  period: string;
  timeZone: string;
  from: Date;
  to: Date;
  asOf: Date;
  opening: bigint;
}>;

export type MonthRow = ReturnType<typeof rowOf>;
type Total = Readonly<{ kind: MonthLine['kind']; amount: bigint }>;

/** The pieces of a statement in one form, in the order in which they are written. */
export type StatementForm = Readonly<{
  head: (head: StatementHead) => string;
  rows: (rows: readonly MonthRow[], isFirst: boolean) => string;
  foot: (foot: Readonly<{ totals: readonly Total[]; closing: bigint }>) => string;
}>;

/** Writes a statement piece by piece, with the memory of one batch of lines. */
export async function* statementText(
  asked: Readonly<{ accountId: string; period: string; language: StatementLanguage }>,
  month: AccountMonth,
  form: StatementForm,
): AsyncGenerator<string> {
  const { currency, timeZone, from, to, asOf, openingMinor } = month;
  const { accountId, period, language } = asked;
  yield form.head({ accountId, currency, period, timeZone, from, to, asOf, opening: openingMinor });
  const tally = openTally();
  let closing = openingMinor;
  let isFirst = true;
  for await (const lines of month.lines()) {
    tally.add(lines);
    closing = lines.at(-1)!.balanceMinor;
    yield form.rows(
      lines.map((line) => rowOf(line, language)),
      isFirst,
    );
    isFirst = false;
  }
  const totals = tally.totals().map(({ kind, amountMinor }) => ({ kind, amount: amountMinor }));
  yield form.foot({ totals, closing });
}

const rowOf = (line: MonthLine, language: StatementLanguage) => ({
  at: line.at,
  kind: line.kind,
  transactionId: line.transactionId,
  amount: line.amountMinor,
  balance: line.balanceMinor,
  text: textOf(line, language),
});
