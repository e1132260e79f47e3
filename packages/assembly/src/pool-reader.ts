import type { Domain } from '@replenish/domain';
import type { GuardedProvider } from '@replenish/providers';
import type { Logger } from '@replenish/runtime';

/** The interval at which pools are read. They are also read after each transfer. */
export const POOL_EVERY_MS = 15_000;
/** The greatest age of a reading that a claim may rely on. */
export const POOL_READ_WITHIN_MS = 120_000;

// Transfers come in bursts, and the provider limits its reads.
const GAP_MS = 1_000;

export type PoolReaderDeps = Readonly<{
  pools: Pick<Domain['pools'], 'record' | 'wanted'>;
  provider: Pick<GuardedProvider, 'name' | 'account' | 'balance'>;
  log: Logger;
}>;

/**
 * Returns a function that reads the money of our account at a provider, in each currency that is needed, and stores it.
 * Calls during a read share it, and a call soon after one does nothing. Null: the provider has no such read.
 */
export function openPoolReader(deps: PoolReaderDeps): (() => Promise<void>) | null {
  const { pools, provider, log } = deps;
  const { balance, account: providerAccount } = provider;
  if (!balance) return null;

  async function readOne(currency: string): Promise<void> {
    const startedAtMs = performance.now();
    const { outcome, calls } = await balance!.read(currency);
    const context = { provider: provider.name, providerAccount, currency };
    if (outcome.kind !== 'read') {
      // The first reading is made when the process starts. So a key of the provider's other site is reported before any
      // order is sent.
      const code = calls.at(-1)?.providerCode ?? null;
      return log.warn({ ...context, outcome, code }, 'the source account was not read');
    }
    const tookMs = performance.now() - startedAtMs;
    const key = { provider: provider.name, providerAccount, currency: outcome.currency };
    const pulled = await pools.record({ ...key, transferableMinor: outcome.amountMinor, tookMs });
    if (pulled > 0) log.info({ ...context, recharges: pulled }, 'recharges that waited for money are due');
  }

  async function readAll(): Promise<void> {
    const wanted = await pools.wanted(provider.name, providerAccount);
    for (const currency of new Set([...balance!.currencies, ...wanted])) await readOne(currency);
  }

  let reading: Promise<void> | null = null;
  let readAtMs = Number.NEGATIVE_INFINITY;
  return () => {
    if (reading === null && performance.now() - readAtMs < GAP_MS) return Promise.resolve();
    reading ??= readAll().finally(() => {
      reading = null;
      readAtMs = performance.now();
    });
    return reading;
  };
}
