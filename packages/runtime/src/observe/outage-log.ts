import type { Logger } from './log.js';

export interface OutageLog {
  /** Counts one failure. The first failure of an outage is also logged. */
  failed(error: unknown, fields?: object): void;
  /** Reports a success, which ends the outage. */
  worked(): void;
}

// An outage also ends when no failure is reported for this time.
const QUIET_MS = 5_000;

/**
 * Logs one line at the beginning of an outage, and one with the count of failures at its end. A line per failed request
 * would bury all other log lines.
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
