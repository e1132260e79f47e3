import {
  type Alarm,
  type Security,
  type SecurityRule,
  StoreUnavailable,
  type Suspicion,
  securityRules,
} from '@replenish/domain';
import { Counter, type Frame, type Logger, openOutageLog } from '@replenish/runtime';
import type { Request, Response } from 'express';
import { claimedKeyId } from '../audit/record.js';
import { Problem } from '../http/answers/problem.js';
import { atEnd, type Observer, type RequestContext } from '../http/call.js';
import { originOf } from '../http/origin.js';

export interface Watch {
  /** Looks at each call at its end. For a good answer this is one comparison. */
  readonly see: Observer;
  /** Reports the remaining counts. */
  close(): Promise<void>;
}

export type WatchDeps = Readonly<{
  security: Pick<Security, 'report'>;
  log: Logger;
  registry: Frame['registry'];
}>;

const REPORT_EVERY_MS = 250;
// Strangers can invent any number of key ids. Beyond this many per report, events are counted in the metric only.
const KEYS_MAX = 1_000;

/**
 * Counts suspicious refusals by rule, key and address. Reports are sent at most four times per second, for any number
 * of refusals. The database adds up the reports of all processes and locks a key for the address that guesses.
 */
export function openWatch({ security, log, registry }: WatchDeps): Watch {
  const events = openSecurityCounter(registry);
  let seen = new Map<string, Suspicion>();
  const add = (rule: SecurityRule, keyId: string, address: string): void => {
    const origin = securityRules[rule].countedBy === 'origin' ? originOf(address) : null;
    const name = `${rule} ${keyId} ${origin}`;
    if (!seen.has(name) && seen.size >= KEYS_MAX) return;
    const count = (seen.get(name)?.count ?? 0) + 1;
    seen.set(name, { rule, keyId, origin, count });
  };
  const note = (rule: SecurityRule, request: Request, call: RequestContext): void => {
    const { key, correlationId, ip, trace } = call;
    events.inc({ rule });
    const keyId = key?.keyId ?? claimedKeyId(request);
    log.warn({ security: true, rule, keyId, ip, correlationId, ...trace }, 'security event');
    if (keyId === undefined) return;
    add(rule, keyId, ip);
    if (rule === 'bad_signature') add('guessing', keyId, ip);
  };
  const outage = openOutageLog(log, 'security events cannot be reported: the store does not answer');
  const report = async (): Promise<void> => {
    const now = [...seen.values()];
    seen = new Map();
    try {
      for (const alarm of await security.report(now)) tell(log, alarm);
    } catch (error) {
      if (error instanceof StoreUnavailable) outage.failed(error, { events: now.length });
      else log.error({ err: error, events: now.length }, 'security events could not be reported');
    }
  };
  const timer = setInterval(() => seen.size > 0 && void report(), REPORT_EVERY_MS).unref();
  const look = (request: Request, response: Response, call: RequestContext): void => {
    const rule = response.statusCode < 400 ? null : ruleOf(call);
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

function tell(log: Logger, { rule, keyId, origin, until }: Alarm): void {
  const fields = { security: true, rule, keyId, origin, max: securityRules[rule].max };
  if (until) log.error({ ...fields, until }, 'the key is locked');
  else log.error(fields, 'security alarm');
}

const openSecurityCounter = (registry: Frame['registry']): Counter<'rule'> =>
  new Counter({
    name: 'replenish_security_events_total',
    help: 'What security rules saw, by rule: see docs/operations.md.',
    labelNames: ['rule'],
    registers: [registry],
  });

/** The security rule that counts the call. Null if no rule counts it. */
const ruleOf = ({ problem }: RequestContext): SecurityRule | null =>
  problem instanceof Problem ? (problem.suspicion ?? null) : null;
