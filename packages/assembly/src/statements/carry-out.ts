import { Readable } from 'node:stream';
import type { Domain, Reconciled, ReconciliationRun } from '@replenish/domain';
import { StatementAway } from '@replenish/domain/rules';
import type { GuardedProvider } from '@replenish/providers';
import type { Logger } from '@replenish/runtime';
import { statementLines } from '../statement-file.js';
import { providerLines } from './provider-lines.js';

export type RunnerDeps = Readonly<{
  reconciliations: Pick<Domain['reconciliations'], 'takeUp' | 'read' | 'file'>;
  /** Our accounts at providers with a statement of their own. */
  accounts: readonly Pick<GuardedProvider, 'name' | 'account' | 'statement'>[];
  log: Logger;
}>;

/**
 * Returns a function that carries out the runs that are due, one after the other, until none is due or one ends by an
 * error. The others are taken up by the next call.
 */
export function openRunner({ reconciliations, accounts, log }: RunnerDeps): () => Promise<void> {
  const linesOf = (run: ReconciliationRun) =>
    run.source === 'file'
      ? statementLines(Readable.from(reconciliations.file(run.id)))
      : providerLines(
          accounts.find(({ name, account }) => name === run.provider && account === run.providerAccount)!,
          run,
        );
  const able = accounts.map(({ name, account }) => ({ provider: name, providerAccount: account }));
  return async () => {
    for (;;) {
      const run = await reconciliations.takeUp(able);
      if (!run) return;
      const context = { runId: run.id, provider: run.provider, providerAccount: run.providerAccount };
      const every = tenSeconds();
      try {
        const result = await reconciliations.read(run, linesOf(run), (lines) => {
          if (every()) log.info({ ...context, lines }, 'reading a statement');
        });
        log.info({ ...context, lines: result.linesRead, ...countsOf(result) }, 'a statement was compared');
      } catch (error) {
        const level = error instanceof StatementAway ? 'warn' : 'error';
        log[level]({ err: error, ...context }, 'a statement was not read to its end');
        return;
      }
    }
  };
}

const countsOf = ({ matched, oursOnly, theirsOnly, different, gaps }: Reconciled) => ({
  matched,
  oursOnly: oursOnly.length,
  theirsOnly: theirsOnly.length,
  different: different.length,
  gaps: gaps.length,
});

/** Returns a function that is true once in ten seconds, and never in the first ten. */
function tenSeconds(): () => boolean {
  let lastMs = performance.now();
  return () => {
    if (performance.now() - lastMs < 10_000) return false;
    lastMs = performance.now();
    return true;
  };
}
