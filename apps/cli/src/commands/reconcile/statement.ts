import { createReadStream } from 'node:fs';
import { access } from 'node:fs/promises';
import type { Period, Reconciled } from '@replenish/domain';
import { withDomain } from '../../books.js';
import { type CommandRun, Misuse } from '../../command.js';
import { withProgress } from '../../progress.js';

type StatementAsk = Readonly<{ json: true | undefined; file: string; period: Period }>;

/** Compares a statement with the books. The exit code is 0 only if they agree. */
export async function reconcileStatement(
  { env, say, exitWith, ...screen }: CommandRun,
  { json, file, period }: StatementAsk,
): Promise<void> {
  await access(file).catch(() => {
    throw new Misuse(`cannot read ${file}`);
  });
  const { statementLines } = await import('@replenish/assembly');
  const result = await withProgress(screen, 'reading the statement', (tell) =>
    withDomain(env, async ({ reconciliations }) => {
      const run = await reconciliations.begin(period, 'operator');
      return reconciliations.read(run, statementLines(createReadStream(file)), (count) =>
        tell(`read ${count} lines of the statement`),
      );
    }),
  );
  if (differencesIn(result) > 0) exitWith(1);
  if (json) say(JSON.stringify(inJson(result)));
  else for (const line of linesOf(result)) say(line);
}

const differencesIn = ({ oursOnly, theirsOnly, different, gaps }: Reconciled): number =>
  oursOnly.length + theirsOnly.length + different.length + gaps.length;

const inJson = ({ id, status, matched, oursOnly, theirsOnly, different, gaps }: Reconciled): object => ({
  runId: id,
  status,
  matched,
  oursOnly: oursOnly.map(shown),
  theirsOnly: theirsOnly.map(shown),
  different: different.map(shown),
  gaps: gaps.map(({ missingMinor, ...gap }) => ({ ...gap, missing: Number(missingMinor) })),
});

const shown = ({ transactionId, detail }: Reconciled['oursOnly'][number]): object => ({
  transactionId,
  ...detail,
});

function linesOf(result: Reconciled): string[] {
  const { matched, oursOnly, theirsOnly, different, gaps } = result;
  const of = (rows: Reconciled['oursOnly'], words: string) =>
    rows.map((row) => `${words}: ${JSON.stringify(shown(row))}`);
  const differences = differencesIn(result);
  return [
    ...of(oursOnly, 'ours only'),
    ...of(theirsOnly, 'theirs only'),
    ...of(different, 'different'),
    ...gaps.map(
      ({ afterLine, beforeLine, missingMinor, currency }) =>
        `gap: between lines ${afterLine} and ${beforeLine}, ${missingMinor} ${currency} in minor units are missing`,
    ),
    differences === 0
      ? `${matched} lines match, and nothing differs`
      : `${matched} lines match, ${differences} differences, each with a case: replenish case list`,
  ];
}
