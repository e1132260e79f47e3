import { type AuditCall, storable } from '@replenish/domain';
import { originOf } from '../http/origin.js';

/** Refused calls of callers that nobody knows: a few are kept whole, the rest are added up. */
export interface Strangers {
  /** True when the call is to be filed by itself; otherwise it is counted. */
  isFiled(call: AuditCall): boolean;
  /** One row for each address, route and answer of what was counted since the last time. */
  take(newId: () => string): AuditCall[];
}

// An operator sees by these what a stranger tries; a thousand more of the same say nothing new, and cost the database
// as much as a thousand recharges.
const FILED_MAX = 50;
const FILED_OF_ALL_MAX = 500;
// Rows of one minute: beyond them addresses are added up under one name.
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
