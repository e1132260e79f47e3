import { randomUUID } from 'node:crypto';
import type { BalanceOutcome, Guarded, GuardedProvider, QueryOutcome } from '@replenish/providers';

/** The result of one harmless read. `words`: what an operator can act on. */
export type CheckedRead = Readonly<{
  isUsable: boolean;
  words: string;
  httpStatus: number | null;
  providerCode: string | null;
  tookMs: number;
}>;

/**
 * Reads the money of our account. A provider without such a read is asked about an order that was never sent. Nothing
 * moves.
 */
export async function checkProvider(provider: GuardedProvider): Promise<CheckedRead[]> {
  const { balance } = provider;
  if (!balance) return [await readOf(() => provider.find(orderNeverSent()))];
  const reads: CheckedRead[] = [];
  for (const currency of balance.currencies) reads.push(await readOf(() => balance.read(currency)));
  return reads;
}

const orderNeverSent = () => ({
  ...{ reference: randomUUID(), accountId: 'provider-check', amountMinor: 1n, currency: 'CNY' },
});

async function readOf(read: () => Promise<Guarded<BalanceOutcome | QueryOutcome>>): Promise<CheckedRead> {
  const begunMs = performance.now();
  const { outcome, calls } = await read();
  const last = calls.at(-1);
  return {
    isUsable: outcome.kind === 'read' || outcome.kind === 'absent',
    words: wordsOf(outcome, last?.httpStatus ?? null),
    httpStatus: last?.httpStatus ?? null,
    providerCode: last?.providerCode ?? null,
    tookMs: Math.round(performance.now() - begunMs),
  };
}

function wordsOf(outcome: BalanceOutcome | QueryOutcome, httpStatus: number | null): string {
  switch (outcome.kind) {
    case 'read':
      return `the account can transfer ${outcome.amountMinor} ${outcome.currency} in minor units`;
    case 'absent':
      return 'the key may look up orders, and the provider has none under a number that was never sent';
    case 'refused':
      return `refused with ${outcome.code}: ${outcome.message}`;
    case 'found':
    case 'several':
      return 'the provider reports an order under a number that was never sent: its look-up cannot be trusted';
    case 'unknown':
      return `no answer that can be read (${[outcome.cause, outcome.code].filter(Boolean).join(', ')}): check the address and the provider's public key`;
    case 'not_executed':
      return wordsOfRefusal(outcome.cause, httpStatus);
  }
}

type RefusalCause = Extract<BalanceOutcome, { kind: 'not_executed' }>['cause'];

function wordsOfRefusal(cause: RefusalCause, httpStatus: number | null): string {
  switch (cause) {
    case 'unavailable':
      // Alibaba Cloud's read tells no status. It says this only of a key, a clock or a right.
      return (httpStatus ?? 400) < 500
        ? 'the provider refuses the call: check the key, its permissions and the clock of this machine'
        : 'the provider is out of order: try again later';
    case 'unreachable':
      return 'no connection: check the address, the network and the firewall';
    case 'rate_limited':
      return 'the provider asks to call less often: try again in a minute';
    case 'too_late':
      return 'the provider did not answer in time';
    case 'source_funds':
      return 'the account has too little money';
  }
}
