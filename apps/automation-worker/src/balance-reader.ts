import type { WatchedAccount, WatchedBalances } from '@replenish/domain';
import type { GuardedProvider } from '@replenish/providers';
import type { Logger } from '@replenish/runtime';

export type BalanceReaderDeps = Readonly<{
  watched: WatchedBalances;
  provider: (name: string, account: string) => Pick<GuardedProvider, 'balance'> | undefined;
  log: Logger;
}>;

// The pause after a throttled read, if the provider does not say how long to wait.
const PATIENCE_MS = 30_000;

/**
 * Returns a function that reads the cloud account of a rule, unless its balance is fresh or somebody else reads it. A
 * read that fails keeps the old balance. No rule decides on a balance that is too old.
 */
export function balanceReader({
  watched,
  provider,
  log,
}: BalanceReaderDeps): (ruleId: string) => Promise<void> {
  async function read(account: WatchedAccount): Promise<void> {
    const readTarget = provider(account.provider, account.providerAccount)?.balance?.readTarget;
    if (!readTarget) return log.warn({ ...account }, 'the provider does not say the balance of this account');
    const startedAtMs = performance.now();
    const { outcome } = await readTarget(account.account);
    if (outcome.kind === 'read' && outcome.currency === account.currency) {
      const { amountMinor: minor, cashMinor = null } = outcome;
      return watched.record(account, { minor, cashMinor }, performance.now() - startedAtMs);
    }
    log.warn({ ...account, outcome }, 'the balance of a watched account was not read');
    if (outcome.kind === 'not_executed') await watched.leave(account, outcome.retryAfterMs ?? PATIENCE_MS);
  }
  return async (ruleId) => {
    const account = await watched.claim(ruleId);
    if (account) await read(account);
  };
}
