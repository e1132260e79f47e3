import { randomUUID } from 'node:crypto';
import {
  type BalanceOutcome,
  type Guarded,
  type GuardedProvider,
  type QueryOutcome,
  withProvidersClock,
} from '@replenish/providers';

/** The result of one harmless read. `words`: what an operator can act on. */
export type CheckedRead = Readonly<{
  isUsable: boolean;
  words: string;
  httpStatus: number | null;
  providerCode: string | null;
  tookMs: number;
}>;

/**
 * Our clock, compared with the `Date` header of the provider's answers. `aheadSeconds` is null if no answer had that
 * header.
 */
export type CheckedClock = Readonly<{
  aheadSeconds: number | null;
  verdict: 'right' | 'off' | 'refused' | 'unknown';
  words: string;
}>;

export type CheckedAccount = Readonly<{
  ok: boolean;
  provider: string;
  account: string;
  reads: readonly CheckedRead[];
  clock: CheckedClock;
}>;

// A clock that is off by this much will soon make signatures fail.
const OFF_SECONDS = 60;
// Alibaba Cloud and Alipay refuse signed times that are further off: 15 and 10 minutes. Stripe's events are refused by us
// beyond 300 s, its own tolerance.
const refusedSeconds: Readonly<Record<string, number>> = { alibaba_cloud: 900, alipay: 600, stripe: 300 };
const SIGNED_WITHIN_SECONDS = 300;

/** Makes harmless reads at an account, and compares our clock with the provider's. No money moves. */
export async function checkAccount(provider: GuardedProvider, now?: () => number): Promise<CheckedAccount> {
  const { value: reads, skewMs } = await withProvidersClock(() => checkProvider(provider), now);
  const clock = clockOf(provider.name, skewMs);
  const ok = clock.verdict !== 'refused' && reads.every(({ isUsable }) => isUsable);
  return { ok, provider: provider.name, account: provider.account, reads, clock };
}

export function clockOf(provider: string, skewMs: number | null): CheckedClock {
  if (skewMs === null)
    return { aheadSeconds: null, verdict: 'unknown', words: 'no answer told the time of the provider' };
  const aheadSeconds = Math.round(skewMs / 1_000);
  const offSeconds = Math.abs(aheadSeconds);
  const allowed = refusedSeconds[provider] ?? SIGNED_WITHIN_SECONDS;
  const off = `the clock of this machine is ${offSeconds} s ${aheadSeconds > 0 ? 'ahead' : 'behind'}`;
  if (offSeconds > allowed)
    return {
      ...{ aheadSeconds, verdict: 'refused' },
      words: `${off}, and more than ${allowed} s are refused: set it by NTP`,
    };
  if (offSeconds >= OFF_SECONDS)
    return {
      ...{ aheadSeconds, verdict: 'off' },
      words: `${off}: set it by NTP before it is more than ${allowed} s off`,
    };
  return { aheadSeconds, verdict: 'right', words: 'the clock of this machine is right' };
}

/**
 * Reads the money of our account. A provider without such a read is asked about an order that was never sent. No money
 * moves.
 */
async function checkProvider(provider: GuardedProvider): Promise<CheckedRead[]> {
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
      return wordsOfRefusal(outcome, httpStatus);
  }
}

type NotMade = Extract<BalanceOutcome, { kind: 'not_executed' }>;

function wordsOfRefusal({ cause, code = '' }: NotMade, httpStatus: number | null): string {
  if (code.startsWith('InvalidSecurityToken.'))
    return `the temporary key (STS token) is not valid any more (${code}): renew it where security_token comes from`;
  switch (cause) {
    case 'unavailable':
      // The read at Alibaba Cloud reports no HTTP status. It answers `unavailable` only because of the key, the clock
      // or a missing right.
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
