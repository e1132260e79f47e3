import { setTimeout as sleep } from 'node:timers/promises';
import { type Audit, type AuditCall, StoreUnavailable } from '@replenish/domain';
import { Counter, type Frame, type Logger, newId } from '@replenish/runtime';
import { recordOf } from './audit-record.js';
import { atEnd, type CallEnd, type Onlooker } from './call.js';

export interface AuditTrail {
  /** Files every call that passes, when it is over. */
  readonly see: Onlooker;
  /** Files what is left, for as long as it takes within a few seconds. */
  close(): Promise<void>;
}

export type AuditTrailDeps = Readonly<{
  audit: Pick<Audit, 'write'>;
  log: Logger;
  registry: Frame['registry'];
}>;

const BATCH_MAX = 200;
const FLUSH_EVERY_MS = 250;
// Some 20 MB: what a busy process sees in the ten seconds that a failover of the database takes.
const KEPT_MAX = 20_000;
const CLOSE_LIMIT_MS = 3_000;

/**
 * One row for every call, in batches of their own that no request waits for. A crash loses the rows of the last
 * quarter of a second; recharges are never lost with them, for each is its own record.
 */
export function openAuditTrail({ audit, log, registry }: AuditTrailDeps): AuditTrail {
  let waiting: AuditCall[] = [];
  let writing: Promise<void> | null = null;
  const lost = new Counter({
    name: 'replenish_audit_rows_lost_total',
    help: 'Calls that are missing in the audit trail.',
    registers: [registry],
  });
  const writeBatch = async (): Promise<void> => {
    const batch = waiting.slice(0, BATCH_MAX);
    const { refused } = await audit.write(batch);
    waiting = waiting.slice(batch.length);
    if (refused === 0) return;
    lost.inc(refused);
    log.error({ refused }, 'the database refused rows of the audit trail');
  };
  const flush = (): Promise<void> => {
    writing ??= drain(() => waiting.length > 0, writeBatch)
      .catch((error: unknown) => {
        const level = error instanceof StoreUnavailable ? 'warn' : 'error';
        log[level]({ err: error, waiting: waiting.length }, 'the audit trail waits for its store');
      })
      .finally(() => {
        writing = null;
      });
    return writing;
  };
  const timer = setInterval(() => void flush(), FLUSH_EVERY_MS).unref();
  const keep = (call: AuditCall): void => {
    if (waiting.length >= KEPT_MAX) lost.inc();
    else waiting.push(call);
    if (waiting.length === BATCH_MAX) void flush();
  };
  const file: CallEnd = (request, response, call) => keep(recordOf(request, response, call, newId()));
  return {
    see: (_request, response) => atEnd(response, file),
    close: async () => {
      clearInterval(timer);
      const until = performance.now() + CLOSE_LIMIT_MS;
      while (waiting.length > 0 && performance.now() < until) {
        await flush();
        if (waiting.length > 0) await sleep(100);
      }
      lost.inc(waiting.length);
    },
  };
}

async function drain(isMore: () => boolean, step: () => Promise<void>): Promise<void> {
  while (isMore()) await step();
}
