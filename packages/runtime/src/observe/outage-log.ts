import type { Logger } from './log.js';

export interface OutageLog {
  /** One more thing failed. The first one of an outage is logged, the others are counted. */
  failed(error: unknown, fields?: object): void;
  /** Something worked: the outage is over. */
  worked(): void;
}

// Without a word for so long nothing fails any more, or nobody asks.
const QUIET_MS = 5_000;

/**
 * One line at the beginning of an outage and one at its end, with the count: a line per request hides in thousands of
 * copies what else happens meanwhile.
 */
export function openOutageLog(log: Logger, what: string): OutageLog {
  let count = 0;
  let beganAtMs = 0;
  let quiet: NodeJS.Timeout | undefined;
  const worked = (): void => {
    if (count === 0) return;
    clearTimeout(quiet);
    log.warn({ failed: count, outageMs: Math.round(performance.now() - beganAtMs) }, `${what}: over`);
    count = 0;
  };
  return {
    failed: (error, fields = {}) => {
      if (count++ > 0) {
        quiet?.refresh();
        return;
      }
      beganAtMs = performance.now();
      log.warn({ err: error, ...fields }, what);
      quiet = setTimeout(worked, QUIET_MS).unref();
    },
    worked,
  };
}
