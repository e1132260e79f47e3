import type { Run } from '../database/database.js';
import { dueCallbacks } from './callbacks.js';
import { dueEvents } from './events.js';
import { dueNotices } from './notices.js';
import { dueElsewhere, dueRecharges, takeUnfinished } from './recharges.js';
import { dueRules } from './rules.js';
import { type Due, type DueSource, type Lane, ROWS_TOGETHER, type SweepTimes } from './source.js';

export interface Sweep {
  /** The lanes of these providers. Each has a queue. */
  lanes(providers: readonly string[]): Lane[];
  /**
   * Those of these lanes that may have due rows. If it cannot be told for some, they are among them: their failure shows
   * when they are taken from, and the other lanes are swept.
   */
  lanesWithWork(lanes: readonly Lane[]): Promise<Lane[]>;
  /**
   * Takes up to `max` due rows of one lane or of all lanes, oldest first, and sets the next due time of each. So two
   * sweepers never take the same row, and a row whose job is lost is taken again.
   */
  takeDue(max: number, lane?: Lane): Promise<Due[]>;
  /**
   * Takes up to `max` unfinished recharges, due or not. With `id` it takes that recharge only. An operator's command
   * uses it.
   */
  takeWaiting(max: number, id?: string): Promise<Due[]>;
  /** Makes rows due again if their jobs could not be added to their queue. */
  putBack(due: readonly Due[]): Promise<void>;
  /** Counts the due recharges of all providers other than these. */
  dueElsewhere(providers: readonly string[]): Promise<{ provider: string; count: number }[]>;
}

type Sources = Readonly<{ [What in Lane['what']]: DueSource<Extract<Lane, { what: What }>> }>;

export function openSweep(run: Run, times: SweepTimes): Sweep {
  const sources: Sources = {
    recharge: dueRecharges(run, times),
    event: dueEvents(run, times),
    callback: dueCallbacks(run),
    rule: dueRules(run),
    notice: dueNotices(run),
  };
  // TypeScript cannot see that a lane's `what` selects the source of that lane.
  const sourceOf = (what: Lane['what']) => sources[what] as DueSource<Lane>;
  const all = Object.keys(sources) as Lane['what'][];
  return {
    lanes: (providers) => all.flatMap((what) => sourceOf(what).lanes(providers)),
    async lanesWithWork(lanes) {
      const found = await Promise.all(
        all.map(async (what) => {
          const own = lanes.filter((lane) => lane.what === what);
          const { withWork } = sourceOf(what);
          return withWork && own.length > 0 ? withWork(own).catch(() => own) : own;
        }),
      );
      return found.flat();
    },
    async takeDue(max, lane) {
      if (lane) return sourceOf(lane.what).take(max, lane);
      const due: Due[] = [];
      for (const what of all) due.push(...(await sourceOf(what).take(max)));
      return due;
    },
    takeWaiting: (max, id) => takeUnfinished(run, max, times, id),
    async putBack(due) {
      for (const what of all) {
        const ids = due.filter((one) => one.what === what).map(({ id }) => id);
        for (let at = 0; at < ids.length; at += ROWS_TOGETHER)
          await sourceOf(what).putBack(ids.slice(at, at + ROWS_TOGETHER));
      }
    },
    dueElsewhere: (providers) => dueElsewhere(run, providers),
  };
}
