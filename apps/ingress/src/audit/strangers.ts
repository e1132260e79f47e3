import { type AuditCall, storable } from '@replenish/domain';
import { originOf } from '../http/origin.js';

/** Refused calls of unknown callers. The first calls are filed as rows of their own. The others are added up. */
export interface Strangers {
  /** Whether the call gets a row of its own. If not, this function has counted the call. */
  isFiled(call: AuditCall): boolean;
  /** Takes the counts since the last `take`, as one row per address, method, route and status. */
  take(newId: () => string): AuditCall[];
}

// Fifty rows per address show an operator what a stranger tries. A row costs the database as much as a recharge, so
// the next thousand of the same kind are only counted.
const FILED_MAX = 50;
const FILED_OF_ALL_MAX = 500;
// The most rows with counts per minute. Beyond that, all addresses share one row per status.
const ROWS_MAX = 200;
const OTHERS = 'others';

export function openStrangers(): Strangers {
  let filedBy = new Map<string, number>();
  let filed = 0;
  let counted = new Map<string, { call: AuditCall; calls: number }>();
  const count = (call: AuditCall, origin: string): void => {
    const own = `${origin} ${call.method} ${call.route} ${call.status}`;
    const name = counted.has(own) || counted.size < ROWS_MAX ? own : `${OTHERS} ${call.status}`;
    const row = counted.get(name) ?? { call: { ...call, ip: name === own ? origin : OTHERS }, calls: 0 };
    row.calls++;
    counted.set(name, row);
  };
  return {
    isFiled: (call) => {
      const origin = originOf(call.ip);
      const before = filedBy.get(origin) ?? 0;
      if (before >= FILED_MAX || filed >= FILED_OF_ALL_MAX) {
        count(call, origin);
        return false;
      }
      filedBy.set(origin, before + 1);
      filed++;
      return true;
    },
    take: (newId) => {
      const rows = [...counted.values()];
      counted = new Map();
      filedBy = new Map();
      filed = 0;
      return rows.map(({ call, calls }) => ({
        ...call,
        id: newId(),
        ip: storable(call.ip, 64),
        keyId: null,
        accountId: null,
        params: { path: {}, query: {}, body: {}, calls },
        durationMs: 0,
      }));
    },
  };
}
