import { addressesOf, faultOfAddresses, faultOfTarget, hostOf, placeOf } from '@replenish/runtime';
import { invalid } from '../http/answers/problem.js';

/** Judges the URLs that clients give for callbacks. */
export interface Targets {
  /** @throws Problem INVALID_ARGUMENT if events may not be posted there */
  require(url: string, path: string): Promise<void>;
}

// A name that is not resolved by then is judged when an event is posted.
const RESOLVE_WITHIN_MS = 1_000;

/**
 * A name that has a private address now is refused at once. A name that cannot be resolved now is taken: it is judged
 * again at each post, and only that judgement protects, since an address can change.
 */
export function openTargets(
  allowed: ReadonlySet<string>,
  resolve: (host: string, signal: AbortSignal) => Promise<readonly string[]> = addressesOf,
): Targets {
  return {
    async require(text, path) {
      const refuse = (fault: string | null): void => {
        if (fault !== null) throw invalid({ path, message: fault });
      };
      refuse(faultOfTarget(text, allowed));
      const url = new URL(text);
      if (allowed.has(placeOf(url)) || /^[\d.]+$|:/.test(hostOf(url))) return;
      const found = await resolve(hostOf(url), AbortSignal.timeout(RESOLVE_WITHIN_MS)).catch(() => []);
      if (found.length > 0) refuse(faultOfAddresses(found));
    },
  };
}
