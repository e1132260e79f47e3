import { openRunner } from '@replenish/assembly';
import type { Domain } from '@replenish/domain';
import type { GuardedProvider } from '@replenish/providers';
import { type Frame, Gauge, type Logger } from '@replenish/runtime';
import type { Chore } from './chores.js';

type StatementParts = Readonly<{
  reconciliations: Domain['reconciliations'];
  accounts: readonly GuardedProvider[];
  /** How long a day is over before its statements are compared. Null: they are not compared by themselves. */
  dailyAfterMs: number | null;
  log: Logger;
}>;

const LOOK_EVERY_MS = 1_000;
const MINUTE_MS = 60_000;

/** The chores that compare providers' statements with the books: the runs that are due, and a run per day. */
export function statementChores({ reconciliations, accounts, ...parts }: StatementParts): Chore[] {
  const { dailyAfterMs, log } = parts;
  const able = accounts.filter(({ statement }) => statement !== undefined);
  const run = openRunner({ reconciliations, accounts: able, log });
  const askDaily = async (afterMs: number): Promise<void> => {
    for (const { name: provider, account: providerAccount, statementDays } of able) {
      const { utcOffsetMs, readyAfterMs } = statementDays ?? { utcOffsetMs: 0, readyAfterMs: 0 };
      const day = { utcOffsetMs, afterMs: Math.max(afterMs, readyAfterMs) };
      if (await reconciliations.askDaily({ provider, providerAccount }, day))
        log.info({ provider, providerAccount }, "the day's statement will be compared");
    }
  };
  return [
    { name: 'statements', everyMs: LOOK_EVERY_MS, run },
    ...(dailyAfterMs === null
      ? []
      : [{ name: 'daily statements', everyMs: MINUTE_MS, run: () => askDaily(dailyAfterMs) }]),
  ];
}

/** Gauges of the comparisons, per provider account. They are read from the database at each scrape. */
export function watchStatements(
  registry: Frame['registry'],
  { levels }: Pick<Domain['reconciliations'], 'levels'>,
): void {
  new Gauge({
    name: 'replenish_statement_differences',
    help: 'Differences and gaps of statements whose cases are open.',
    labelNames: ['provider', 'account'],
    registers: [registry],
    async collect() {
      const found = await levels().catch(() => []);
      this.reset();
      for (const { provider, providerAccount: account, openDifferences } of found)
        this.set({ provider, account }, openDifferences);
    },
  });
  new Gauge({
    name: 'replenish_statement_age_seconds',
    help: 'Age of the last statement that was compared to its end.',
    labelNames: ['provider', 'account'],
    registers: [registry],
    async collect() {
      const found = await levels().catch(() => []);
      this.reset();
      for (const { provider, providerAccount: account, lastFinishedSeconds } of found)
        if (lastFinishedSeconds !== null) this.set({ provider, account }, lastFinishedSeconds);
    },
  });
}
