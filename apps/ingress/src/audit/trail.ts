import { setTimeout as sleep } from 'node:timers/promises';
import { type Audit, type AuditCall, StoreUnavailable } from '@replenish/domain';
import { Counter, type Frame, type Logger, newId, openOutageLog } from '@replenish/runtime';
import { atEnd, type CallEnd, type Observer, type RequestContext } from '../http/call.js';
import type { AuditedNames } from '../http/operation.js';
import { recordOf } from './record.js';
import { openStrangers } from './strangers.js';

export interface AuditTrail {
  /** Files each call after its end. */
  readonly see: Observer;
  /** Files the remaining rows. Gives up after three seconds. */
  close(): Promise<void>;
}

export type AuditTrailDeps = Readonly<{
  audit: Pick<Audit, 'write'>;
  log: Logger;
  registry: Frame['registry'];
  /** Parameters that a row keeps. */
  names: AuditedNames;
}>;

const BATCH_MAX = 150;
const FLUSH_EVERY_MS = 250;
// About 20 MB of memory: the calls of a busy process during the ten seconds of a database failover.
const QUEUE_MAX = 20_000;
const COUNTED_EVERY_MS = 60_000;
const CLOSE_LIMIT_MS = 3_000;

/**
 * Files one row per call. Rows are written in batches, and no request waits for them. Most refused calls of strangers
 * are only counted: see `openStrangers`. A crash loses the rows of the last quarter of a second. It loses no recharge,
 * because recharges are not recorded in the audit trail.
 */
export function openAuditTrail(deps: AuditTrailDeps): AuditTrail {
  const queue = openQueue(deps);
  const strangers = openStrangers();
  const fileCounted = (): void => {
    for (const row of strangers.take(newId)) queue.keep(row);
  };
  const timer = setInterval(fileCounted, COUNTED_EVERY_MS).unref();
  const file: CallEnd = (request, response, call) => {
    const record = recordOf(request, response, call, { id: newId(), names: deps.names });
    if (!isByStranger(call, record) || strangers.isFiled(record)) queue.keep(record);
  };
  return {
    see: (_request, response) => atEnd(response, file),
    close: async () => {
      clearInterval(timer);
      fileCounted();
      await queue.close();
    },
  };
}

/** Queue of rows for the store. Rows beyond its limit are dropped and counted as lost. */
function openQueue({ audit, log, registry }: AuditTrailDeps) {
  let waiting: AuditCall[] = [];
  let writing: Promise<void> | null = null;
  const lost = new Counter({
    name: 'replenish_audit_rows_lost_total',
    help: 'Calls that are missing in the audit trail.',
    registers: [registry],
  });
  const outage = openOutageLog(log, 'the audit trail waits for its store');
  const writeBatch = async (): Promise<void> => {
    const batch = waiting.slice(0, BATCH_MAX);
    const { refused } = await audit.write(batch);
    outage.worked();
    waiting = waiting.slice(batch.length);
    if (refused === 0) return;
    lost.inc(refused);
    log.error({ refused }, 'the database refused rows of the audit trail');
  };
  const flush = (): Promise<void> => {
    writing ??= drain(() => waiting.length > 0, writeBatch)
      .catch((error: unknown) => {
        if (error instanceof StoreUnavailable) outage.failed(error, { waiting: waiting.length });
        else log.error({ err: error, waiting: waiting.length }, 'the audit trail cannot be written');
      })
      .finally(() => {
        writing = null;
      });
    return writing;
  };
  const timer = setInterval(() => void flush(), FLUSH_EVERY_MS).unref();
  return {
    keep: (call: AuditCall): void => {
      if (waiting.length >= QUEUE_MAX) lost.inc();
      else waiting.push(call);
      if (waiting.length === BATCH_MAX) void flush();
    },
    close: async (): Promise<void> => {
      clearInterval(timer);
      const until = Date.now() + CLOSE_LIMIT_MS;
      while (waiting.length > 0 && Date.now() < until) {
        await flush();
        if (waiting.length > 0) await sleep(100);
      }
      lost.inc(waiting.length);
    },
  };
}

/**
 * Whether a stranger made the call. After status 403 the secret was right, so the caller is no stranger, even if the
 * call has no key.
 */
const isByStranger = ({ key }: RequestContext, { status }: AuditCall): boolean =>
  key === undefined && status >= 400 && status !== 403;

async function drain(isMore: () => boolean, step: () => Promise<void>): Promise<void> {
  while (isMore()) await step();
}
