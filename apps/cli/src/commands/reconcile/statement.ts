import { createReadStream } from 'node:fs';
import { access } from 'node:fs/promises';
import type { reconciliationBody } from '@replenish/assembly';
import type { Period, Reconciled, StatementLine } from '@replenish/domain';
import type { Providers } from '@replenish/providers';
import type { Env } from '@replenish/runtime';
import { withDomain, withProviders } from '../../books.js';
import { type CommandRun, Misuse } from '../../command.js';
import { withProgress } from '../../progress.js';

type AskedPeriod = Omit<Period, 'providerAccount'> & Readonly<{ providerAccount: string | undefined }>;
type StatementAsk = Readonly<{ json: true | undefined; file: string | undefined; of: AskedPeriod }>;

/**
 * Compares a statement with the books: a file, or the provider's own where no file is named. The exit code is 0 only if
 * they agree.
 */
export async function reconcileStatement(
  { env, say, exitWith, ...screen }: CommandRun,
  { json, file, of }: StatementAsk,
): Promise<void> {
  const { reconciliationBody } = await import('@replenish/assembly');
  const result = await withProgress(screen, 'reading the statement', (tell) =>
    withLines(env, { file, of }, (lines, period) =>
      withDomain(env, async ({ reconciliations }) => {
        const run = await reconciliations.begin(period, 'operator');
        return reconciliations.read(run, lines, (count) => tell(`read ${count} lines of the statement`));
      }),
    ),
  );
  if (differencesIn(result) > 0 || isBesideThePeriod(result)) exitWith(1);
  if (json) say(inJson(reconciliationBody(result)));
  else for (const line of linesOf(reconciliationBody(result))) say(line);
}

async function withLines<T>(
  env: Env,
  { file, of }: Pick<StatementAsk, 'file' | 'of'>,
  work: (lines: AsyncIterable<StatementLine>, period: Period) => Promise<T>,
): Promise<T> {
  const { providerLines, statementLines } = await import('@replenish/assembly');
  if (file !== undefined) {
    await access(file).catch(() => {
      throw new Misuse(`cannot read ${file}`);
    });
  }
  return withProviders(env, (providers) => {
    const period = { ...of, providerAccount: accountOf(providers, of) };
    if (file !== undefined) return work(statementLines(createReadStream(file)), period);
    const provider = providers.get(period.provider, period.providerAccount)!;
    if (!provider.statement)
      throw new Misuse(`${period.provider} gives no statement of its own: name its file with --file`);
    return work(providerLines(provider, period), period);
  });
}

function accountOf(
  providers: Pick<Providers, 'names' | 'accounts'>,
  { provider, providerAccount }: Pick<AskedPeriod, 'provider' | 'providerAccount'>,
): string {
  const accounts = providers.accounts(provider);
  const [first] = accounts;
  if (first === undefined)
    throw new Misuse(`there is no provider ${provider}: ${providers.names.join(', ')}`);
  const account = providerAccount ?? first;
  if (accounts.includes(account)) return account;
  throw new Misuse(`there is no account ${account} at ${provider}: ${accounts.join(', ')}`);
}

const differencesIn = ({ oursOnly, theirsOnly, different, gaps }: Reconciled): number =>
  oursOnly.length + theirsOnly.length + different.length + gaps.length;

/** Whether not one of the lines is in the period. Then nothing was compared with the books. */
const isBesideThePeriod = ({
  linesRead,
  linesOutside,
}: Pick<Reconciled, 'linesRead' | 'linesOutside'>): boolean => linesRead > 0 && linesOutside === linesRead;

type ShownRun = ReturnType<typeof reconciliationBody>;

/** A value as JSON. An amount above 2^53 becomes a string. */
const inJson = (value: object): string =>
  JSON.stringify(value, (_name, part) => {
    if (typeof part !== 'bigint') return part;
    return Number.isSafeInteger(Number(part)) ? Number(part) : String(part);
  });

function linesOf(result: ShownRun): string[] {
  const { lines, matched, outside, oursOnly, theirsOnly, different, gaps } = result;
  const of = (rows: ShownRun['oursOnly'], words: string) => rows.map((row) => `${words}: ${inJson(row)}`);
  const differences = oursOnly.length + theirsOnly.length + different.length + gaps.length;
  return [
    ...of(oursOnly, 'ours only'),
    ...of(theirsOnly, 'theirs only'),
    ...of(different, 'different'),
    ...gaps.map(
      ({ afterLine, beforeLine, missing, currency }) =>
        `gap: between lines ${afterLine} and ${beforeLine}, ${missing} ${currency} in minor units are missing`,
    ),
    ...(outside ? [`${outside} of ${lines} lines are outside the period, and were not compared`] : []),
    differences === 0
      ? `${matched} lines match, and nothing differs`
      : `${matched} lines match, ${differences} differences, each with a case: replenish case list`,
  ];
}
