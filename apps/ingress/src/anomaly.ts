import { type Security, type SecurityRule, StoreUnavailable, type Suspicion } from '@replenish/domain';
import { Counter, type Frame, type Logger } from '@replenish/runtime';
import type { Request, Response } from 'express';
import { claimedKeyId } from './audit-record.js';
import { atEnd, type Call, type Onlooker } from './call.js';
import { Problem } from './problem.js';

export interface Watch {
  /** Looks at every answer when it is over: one that is good costs nothing more. */
  readonly see: Onlooker;
  /** Reports what is left. */
  close(): Promise<void>;
}

export type WatchDeps = Readonly<{
  security: Pick<Security, 'report'>;
  log: Logger;
  registry: Frame['registry'];
}>;

const REPORT_EVERY_MS = 250;
// Names of keys are made up for nothing: beyond these, what one process saw in a quarter of a second is only counted.
const KEYS_MAX = 1_000;

/**
 * Counts, by key and rule, what no honest caller does often. Reports go out four times a second at most, however many
 * bad calls there are, and the database adds up what all processes report and locks the key.
 */
export function openWatch({ security, log, registry }: WatchDeps): Watch {
  const events = openSecurityCounter(registry);
  let seen = new Map<string, Suspicion>();
  const note = (rule: SecurityRule, request: Request, { key, correlationId, ip }: Call): void => {
    events.inc({ rule });
    const keyId = key?.keyId ?? claimedKeyId(request);
    log.warn({ security: true, rule, keyId, ip, correlationId }, 'security event');
    if (keyId === undefined) return;
    const name = `${rule} ${keyId}`;
    if (!seen.has(name) && seen.size >= KEYS_MAX) return;
    const count = (seen.get(name)?.count ?? 0) + 1;
    seen.set(name, { rule, keyId, count, detail: ip });
  };
  const report = async (): Promise<void> => {
    const now = [...seen.values()];
    seen = new Map();
    try {
      for (const { keyId, rule, until } of await security.report(now))
        log.error({ security: true, rule, keyId, until }, 'the key is locked');
    } catch (error) {
      const level = error instanceof StoreUnavailable ? 'warn' : 'error';
      log[level]({ err: error, events: now.length }, 'security events could not be reported');
    }
  };
  const timer = setInterval(() => seen.size > 0 && void report(), REPORT_EVERY_MS).unref();
  const look = (request: Request, response: Response, call: Call): void => {
    const rule = response.statusCode < 400 ? null : ruleOf(request, call);
    if (rule) note(rule, request, call);
  };
  return {
    see: (_request, response) => atEnd(response, look),
    close: async () => {
      clearInterval(timer);
      if (seen.size > 0) await report();
    },
  };
}

const openSecurityCounter = (registry: Frame['registry']): Counter<'rule'> =>
  new Counter({
    name: 'replenish_security_events_total',
    help: 'What security rules saw, by rule: see docs/operations.md.',
    labelNames: ['rule'],
    registers: [registry],
  });

/** The rule that an answer offends, if any. Who names no key tries nobody's secret. */
function ruleOf(request: Request, { problem }: Call): SecurityRule | null {
  const rule = problem instanceof Problem ? problem.suspicion : undefined;
  if (rule === undefined) return null;
  return rule === 'bad_signature' && claimedKeyId(request) === undefined ? null : rule;
}
