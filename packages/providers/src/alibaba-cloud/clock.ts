// A greater difference is an error of the machine that an operator has to mend, or a nonsense date. Scans reach this much
// further back and ahead, because a clock may be put right between a submit and its scan.
export const SKEW_MAX_MS = 30 * 60_000;

/** The provider's clock, as far as its answers told that ours differs. */
export class CloudClock {
  #aheadMs = 0;

  /**
   * Learns from an answer that refused a call for its time, so only a clock that is known to be wrong is corrected.
   *
   * @param date the header Date of the answer
   */
  learn(date: string | undefined, now = new Date()): void {
    const aheadMs = Date.parse(date ?? '') - now.getTime();
    if (Math.abs(aheadMs) <= SKEW_MAX_MS) this.#aheadMs = aheadMs;
  }

  /** The date of a call, for its signature. Empty while the clocks agree: the SDK then gives it ours. */
  headers(now = new Date()): Readonly<Record<string, string>> {
    if (this.#aheadMs === 0) return {};
    const at = new Date(now.getTime() + this.#aheadMs).toISOString();
    return { 'x-acs-date': `${at.slice(0, 19)}Z` };
  }
}

/** Whether a call was refused for its time. The gateway executes none of these. */
export const isRefusedForTime = (code: string): boolean => code.startsWith('InvalidTimeStamp.');
