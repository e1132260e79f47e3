import type { Key } from '@replenish/domain';
import type { LimitStore } from '@replenish/queues';
import { Counter, type Frame, type Logger } from '@replenish/runtime';
import type { Response } from 'express';
import { Problem } from '../http/answers/problem.js';
import { addHeader } from '../http/answers/send.js';
import { type LimitCount, openLimitCounter, WINDOW_SECONDS } from './limit-counter.js';

export interface Limits {
  /** Counts one call of the client and adds the headers with the rest of its limit. @throws Problem RATE_LIMITED */
  ofClient(key: Key, response: Response): Promise<void>;
  /** Counts one recharge of the account. @throws Problem RATE_LIMITED */
  ofAccount(accountId: string): Promise<void>;
}

export type LimitsConfig = Readonly<{
  store: LimitStore;
  /** Calls per minute for clients whose key has no limit of its own. Null for no limit. */
  perClient: number | null;
  perAccount: number | null;
  log: Logger;
  registry: Frame['registry'];
}>;

const LOG_EVERY_MS = 10_000;

type Policy = 'client' | 'account';

/**
 * Rate limits that all ingress processes share. While the shared store is away, each process counts for itself.
 * Refusing calls would stop all sales. A flood of repeated requests still moves no money twice, because they are
 * idempotent.
 */
export function openLimits(config: LimitsConfig): Limits {
  const count = openCounting(config);
  return {
    ofClient: async (key, response) => {
      const quota = key.rateLimitPerMinute ?? config.perClient;
      if (quota === null) return;
      const counted = await count('client', quota, key.clientId);
      const headers = headersOf('client', quota, counted);
      for (const [name, value] of Object.entries(headers)) addHeader(response, name, value);
      if (counted.place > quota) throw limited('client', quota, counted);
    },
    ofAccount: async (accountId) => {
      const quota = config.perAccount;
      if (quota === null) return;
      const counted = await count('account', quota, accountId);
      if (counted.place > quota) throw limited('account', quota, counted);
    },
  };
}

/**
 * The headers of draft-ietf-httpapi-ratelimit-headers-10: the quota, the window, the requests left, and the seconds
 * until the reset.
 */
const headersOf = (policy: Policy, quota: number, { place, resetSeconds }: LimitCount) => ({
  'ratelimit-policy': `"${policy}";q=${quota};w=${WINDOW_SECONDS}`,
  ratelimit: `"${policy}";r=${Math.max(0, quota - place)};t=${resetSeconds}`,
});

function limited(policy: Policy, quota: number, counted: LimitCount): Problem {
  const detail = `the limit of ${quota} requests per minute of this ${policy} is reached`;
  const headers = { ...headersOf(policy, quota, counted), 'retry-after': String(counted.resetSeconds) };
  return new Problem('RATE_LIMITED', detail, { headers });
}

function openCounting({ store, log, registry }: LimitsConfig) {
  const counters = new Map<string, (subject: string) => Promise<LimitCount>>();
  const faults = new Counter({
    name: 'replenish_rate_limit_store_faults_total',
    help: 'Requests that were counted by this process alone, because the store of limits did not answer.',
    registers: [registry],
  });
  let loggedAtMs = Number.NEGATIVE_INFINITY;
  const onFault = (error: unknown, calls: number): void => {
    faults.inc(calls);
    if (performance.now() - loggedAtMs < LOG_EVERY_MS) return;
    loggedAtMs = performance.now();
    log.warn({ err: error }, 'the store of rate limits does not answer: each process counts alone');
  };
  return (policy: Policy, quota: number, subject: string): Promise<LimitCount> => {
    const name = `${policy} ${quota}`;
    const count = counters.get(name) ?? openLimitCounter({ store, policy, quota }, onFault);
    counters.set(name, count);
    return count(subject);
  };
}
