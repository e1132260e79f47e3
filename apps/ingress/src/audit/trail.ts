import { setTimeout as sleep } from 'node:timers/promises';
import { type Audit, type AuditCall, StoreUnavailable } from '@replenish/domain';
import { Counter, type Frame, type Logger, newId, openOutageLog } from '@replenish/runtime';
import { atEnd, type CallEnd, type Observer, type RequestContext } from '../http/call.js';
import type { AuditedNames } from '../http/operation.js';
import { recordOf } from './record.js';
import { openStrangers } from './strangers.js';

export interface AuditTrail {
  /** Files every call that passes, when it is over. */
  readonly see: Observer;
  /** Files what is left, for as long as it takes within a few seconds. */
  close(): Promise<void>;
}

export type AuditTrailDeps = Readonly<{
  audit: Pick<Audit, 'write'>;
  log: Logger;
  registry: Frame['registry'];
  /** Parameters that are kept. */
  names: AuditedNames;
}>;

const BATCH_MAX = 200;
const FLUSH_EVERY_MS = 250;
// Some 20 MB: what a busy process sees in the ten seconds that a failover of the database takes.
const KEPT_MAX = 20_000;
const COUNTED_EVERY_MS = 60_000;
const CLOSE_LIMIT_MS = 3_000;

/**
 * One row for every call, in batches of their own that no request waits for. Of refused strangers most are counted: see
 * `openStrangers`. A crash loses the rows of the last quarter of a second; recharges are never lost with them, for each
 * is its own record.
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
    if (!isStrangers(call, record) || strangers.isFiled(record)) queue.keep(record);
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

/** Rows on their way to the store, a bounded number of them: what finds no room is counted as lost. */
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
      if (waiting.length >= KEPT_MAX) lost.inc();
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

/** A right secret that is refused (403) is somebody's whom we know, even where it names no key in `call`. */
const isStrangers = ({ key }: RequestContext, { status }: AuditCall): boolean =>
  key === undefined && status >= 400 && status !== 403;

async function drain(isMore: () => boolean, step: () => Promise<void>): Promise<void> {
  while (isMore()) await step();
}
