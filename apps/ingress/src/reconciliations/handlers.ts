import { hash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { reconciliationBody, runBody } from '@replenish/assembly';
import type { Domain, Period, Reconciled, ReconciliationRun } from '@replenish/domain';
import type { Providers } from '@replenish/providers';
import type { Response } from 'express';
import type { z } from 'zod';
import { answer, exactJson } from '../http/answers/answer.js';
import { invalid, Problem } from '../http/answers/problem.js';
import { addHeader } from '../http/answers/send.js';
import { callOf } from '../http/call.js';
import type { KeyedCall } from '../http/operation.js';
import { cursorOf, idOf } from '../input/cursor.js';
import { validated } from '../input/fields.js';
import { optionalKey } from '../input/key-header.js';
import { refuseQuery } from '../input/query.js';
import type { Waits } from '../limits/waits.js';
import { ReconciliationInput, type RunQuery, type StatementQuery } from './input.js';
import { refuseUnreadable } from './statement.js';

export type ReconciliationDeps = Readonly<{
  domain: Pick<Domain, 'reconciliations'>;
  providers: Pick<Providers, 'names' | 'accounts' | 'raw'>;
  stopping?: AbortSignal;
  waits?: Waits | undefined;
}>;

type WantedRun = Readonly<{ period: Period; csv: Buffer | null }>;
type CreateCall = KeyedCall<z.infer<typeof StatementQuery>, z.infer<typeof ReconciliationInput>>;

/** POST /v1/reconciliations */
export async function createReconciliation(deps: ReconciliationDeps, call: CreateCall): Promise<void> {
  const { request, response, key } = call;
  requireAllAccounts(call);
  const idempotencyKey = optionalKey(request.headers['idempotency-key']);
  const ask = askOf(deps, call);
  if (ask.csv) await refuseUnreadable(ask.csv);
  if (idempotencyKey !== null) Object.assign(callOf(response), { idempotencyKey });
  const { clientId } = key;
  const asked = await deps.domain.reconciliations.ask({
    period: ask.period,
    source: ask.csv ? 'file' : 'provider',
    askedBy: `${key.clientName} (${key.keyId})`,
    file: ask.csv,
    key: idempotencyKey === null ? null : { clientId, idempotencyKey, fingerprint: fingerprintOf(ask) },
  });
  if (!asked.ok) throw keyReused();
  const { run, replayed } = asked;
  if (ask.csv && !replayed) await untilOver(deps, response, run.id);
  const result = (await deps.domain.reconciliations.of(run.id))!;
  if (replayed) addHeader(response, 'idempotent-replayed', 'true');
  addHeader(response, 'location', `/v1/reconciliations/${run.id}`);
  give(call, result, replayed ? 200 : result.status === 'running' ? 202 : 201);
}

/** GET /v1/reconciliations */
export async function listReconciliations(
  { domain }: ReconciliationDeps,
  call: KeyedCall<z.infer<typeof RunQuery>>,
): Promise<void> {
  requireAllAccounts(call);
  const { cursor, limit, ...filter } = call.query();
  const rows = await domain.reconciliations.list({
    ...filter,
    limit: limit + 1,
    beforeId: cursor && idOf(cursor),
  });
  const page = rows.slice(0, limit);
  const nextCursor = rows.length > limit ? cursorOf(page.at(-1)!.id) : null;
  const body = { data: page.map((run: ReconciliationRun) => runBody(run)), nextCursor };
  answer(call.request, call.response, 'reconciliations', body);
}

/** GET /v1/reconciliations/{runId} */
export async function readReconciliation({ domain }: ReconciliationDeps, call: KeyedCall): Promise<void> {
  requireAllAccounts(call);
  const found = await domain.reconciliations.of(String(call.request.params.runId).toLowerCase());
  if (!found) throw new Problem('NOT_FOUND', 'there is no such comparison');
  give(call, found, 200);
}

const give = (
  { request, response }: Pick<KeyedCall, 'request' | 'response'>,
  run: Reconciled,
  status: number,
) => answer(request, response, 'reconciliation', reconciliationBody(run), { status, json: exactJson });

/** A statement has lines of all accounts, so a key that covers some of them sees none. */
function requireAllAccounts({ key }: Pick<KeyedCall, 'key'>): void {
  if (!key.accounts.includes('*'))
    throw new Problem(
      'UNAUTHORIZED',
      'a statement is of all accounts, and the key does not cover all of them',
    );
}

/** What the caller asks for. It is in the query if the body is a statement in CSV, otherwise in the body. */
function askOf({ providers }: ReconciliationDeps, call: CreateCall): WantedRun {
  const csv = call.csv();
  if (!csv) refuseQuery(call.request);
  const input = csv ? validated(ReconciliationInput, call.query()) : call.body();
  const { provider } = input;
  const accounts = providers.accounts(provider);
  const providerAccount = input.providerAccount ?? accounts[0];
  if (providerAccount === undefined)
    throw invalid({
      path: 'provider',
      message: `is not configured; there are ${providers.names.join(', ')}`,
    });
  if (!accounts.includes(providerAccount))
    throw invalid({ path: 'providerAccount', message: `must be one of ${accounts.join(', ')}` });
  if (!csv && !providers.raw(provider, providerAccount)?.statement)
    throw invalid({
      path: 'provider',
      message: `${provider} gives no statement of its own; send its statement as CSV`,
    });
  const [from, to] = [new Date(input.from), new Date(input.to)];
  // The times of providers' own lines are whole seconds. A line of the first second would lie before the period.
  if (!csv) from.setUTCMilliseconds(0);
  return { period: { provider, providerAccount, from, to }, csv };
}

const fingerprintOf = ({ period, csv }: WantedRun): string =>
  hash('sha256', JSON.stringify([period, csv && hash('sha256', csv)]));

const keyReused = () =>
  new Problem(
    'DUPLICATE_REQUEST',
    'this idempotency key was used with another request; to repeat that one, send it unchanged',
  );

// A worker takes a run up within a second, and reads some thousand lines per second.
const WAIT_MS = 10_000;
const LOOK_EVERY_MS = 200;

/** Waits until the run is over, the time is up, the caller has left or this process is about to stop. */
async function untilOver(
  { domain, stopping, waits }: ReconciliationDeps,
  response: Response,
  runId: string,
): Promise<void> {
  const end = waits ? waits.begin(response) : () => {};
  if (!end) return;
  const untilMs = performance.now() + WAIT_MS;
  try {
    while (performance.now() < untilMs && !stopping?.aborted && !response.destroyed) {
      const run = await domain.reconciliations.run(runId);
      if (run?.status !== 'running') return;
      await delay(LOOK_EVERY_MS);
    }
  } finally {
    end();
  }
}
