import { isHeld } from '../../../core/money/postings.js';
import { addShownTexts, addTexts } from '../../../core/request-texts.js';
import { Prisma } from '../../../generated/client.js';
import { coalesce } from '../../batches/coalesce.js';
import type { DayCeiling } from '../../ceilings/day-counter.js';
import type { Run } from '../../database/database.js';
import { columns } from '../../database/rows.js';
import { type RechargeView, viewColumns } from '../../reads/view.js';
import {
  type InsertOptions,
  type InsertResult,
  insertStatement,
  insertWithHolds,
  type NewRechargeRow,
} from './create-statement.js';
import { fingerprintOf } from './fingerprint.js';
import type { NewRecharge } from './new-recharge.js';

export type CreateProblem =
  | 'key_used_with_other_body'
  | 'insufficient_balance'
  | 'beyond_balance'
  | 'above_ceiling'
  | 'no_payee'
  | 'other_currency'
  | 'payee_changed'
  | 'plan_stopped';

export type Created =
  | Readonly<{ ok: true; replayed: boolean; recharge: RechargeView }>
  | Readonly<{ ok: false; problem: CreateProblem }>;

type Existing = RechargeView & { idempotencyKey: string; fingerprint: string };

export type Creator = Readonly<{
  any(ask: NewRecharge): Promise<Created>;
  /** Stores the request only if the day's ceiling has room for it. */
  under(ceiling: DayCeiling, ask: NewRecharge): Promise<Created>;
}>;

/** Stores requests with their transactions. Of several requests with one idempotency key it stores the first. */
export function openCreator(run: Run, options: Omit<InsertOptions, 'ceiling'>): Creator {
  const store = (statement: Statement) => (recharges: readonly NewRechargeRow[]) =>
    storeOrFind(run, recharges, statement);
  // With these limits, 64 callers form two batches that take turns. With one batch of 64 the process was idle while the
  // database stored it. A smaller batch waits for the one under way, because four tenths of what a batch of 16 costs the
  // database do not depend on its size. A delivery waits for no other batch, which may wait for the lock of a wallet.
  const limits = { batchMax: 32, inFlightMax: 2 };
  const collect = coalesce<NewRechargeRow, Created>(
    store((recharges) => insertStatement(recharges, options)),
    { ...limits, besideMin: 16 },
  );
  const deliver = coalesce<NewRechargeRow, Created>(
    store((recharges) => insertWithHolds(recharges, options)),
    { ...limits, lockOf: ({ accountId, currency }) => `${accountId} ${currency}` },
  );
  return {
    any: async (ask) => {
      const row = rowOf(ask);
      return (isHeld(row) ? deliver : collect)(row);
    },
    under: async (ceiling, ask) => {
      const row = rowOf(ask);
      const insert = isHeld(row) ? insertWithHolds : insertStatement;
      const [created] = await storeOrFind(run, [row], (recharges) =>
        insert(recharges, { ...options, ceiling }),
      );
      if (created instanceof Error) throw created;
      return created!;
    },
  };
}

/** The name of our account at a provider that has only one. */
const MAIN_ACCOUNT = 'main';

/** One literal of fixed shape. With spreads it takes a request three times the time. */
export const rowOf = (ask: NewRecharge): NewRechargeRow =>
  addTexts(
    {
      id: ask.id,
      clientId: ask.clientId,
      idempotencyKey: ask.idempotencyKey,
      fingerprint: fingerprintOf(ask),
      accountId: ask.accountId,
      kind: ask.kind,
      amountMinor: ask.amountMinor,
      currency: ask.currency,
      paymentMethod: ask.paymentMethod,
      provider: ask.provider,
      providerAccount: ask.providerAccount ?? MAIN_ACCOUNT,
      funding: ask.funding ?? 'wallet',
      destination: ask.destination ?? null,
      judgedPayee: ask.judgedPayee ?? null,
      runningPlanId: ask.runningPlanId ?? null,
      approvalAboveMinor: ask.approvalAboveMinor ?? null,
      metadata: ask.metadata,
      requestedAt: ask.requestedAt,
      correlationId: ask.correlationId,
      traceparent: ask.traceparent ?? null,
    },
    ask,
  );

type Statement = (recharges: readonly NewRechargeRow[]) => Prisma.Sql;

async function storeOrFind(
  run: Run,
  recharges: readonly NewRechargeRow[],
  statement: Statement,
): Promise<(Created | Error)[]> {
  const results = new Map((await run<InsertResult>(statement(recharges))).map((row) => [row.id, row]));
  const unstored = recharges.filter((recharge) => results.get(recharge.id)?.fate !== 'stored');
  const existing = unstored.length > 0 ? await findByKey(run, unstored) : new Map<string, Existing>();
  const refused = unstored.filter((recharge) => results.get(recharge.id) && !existing.has(keyOf(recharge)));
  // The first request of a repeated key may not have been visible yet. Then the repetition took its amount from the
  // balance, and the refused requests may have been refused only because of that amount.
  const wasCrowded = refused.length > 0 && refused.length < unstored.length;
  const again = wasCrowded ? await storeOrFind(run, refused, statement) : [];
  return recharges.map((recharge) => {
    const result = results.get(recharge.id);
    if (result?.fate === 'stored') return { ok: true, replayed: false, recharge: newView(recharge, result) };
    const first = existing.get(keyOf(recharge));
    if (first) return replayOf(recharge, first);
    if (result) return again[refused.indexOf(recharge)] ?? { ok: false, problem: problemOf[result.fate] };
    return new Error(
      `recharge ${recharge.id} was neither stored nor refused, and its key stands for no other`,
    );
  });
}

export const problemOf = {
  uncovered: 'insufficient_balance',
  beyond_balance: 'beyond_balance',
  above_ceiling: 'above_ceiling',
  no_payee: 'no_payee',
  other_currency: 'other_currency',
  payee_changed: 'payee_changed',
  plan_stopped: 'plan_stopped',
} as const satisfies Record<Exclude<InsertResult['fate'], 'stored'>, CreateProblem>;

function replayOf(repeated: NewRechargeRow, { idempotencyKey, fingerprint, ...recharge }: Existing): Created {
  if (fingerprint !== repeated.fingerprint) return { ok: false, problem: 'key_used_with_other_body' };
  return { ok: true, replayed: true, recharge };
}

const keyColumns = columns({ clientId: 'uuid', idempotencyKey: 'text' });

/**
 * Finds the stored requests with these keys. This is a statement of its own, because the insert's snapshot may be older
 * than the commit of the first request.
 */
async function findByKey(run: Run, recharges: readonly NewRechargeRow[]): Promise<Map<string, Existing>> {
  const keys = recharges.map(({ clientId, idempotencyKey }) => ({ clientId, idempotencyKey }));
  const rows = await run<Existing>(Prisma.sql`
    with input as ${keyColumns.from(keys)}
    select request.idempotency_key as "idempotencyKey", request.fingerprint, ${viewColumns}
    from (select distinct "clientId", "idempotencyKey" from input) wanted
    join recharge_request request on request.client_id = wanted."clientId"
      and request.idempotency_key = wanted."idempotencyKey"
    join recharge_transaction recharge on recharge.id = request.transaction_id`);
  return new Map(rows.map((row) => [keyOf(row), row]));
}

const keyOf = ({ clientId, idempotencyKey }: { clientId: string; idempotencyKey: string }): string =>
  `${clientId} ${idempotencyKey}`;

type Stored = Extract<InsertResult, { fate: 'stored' }>;

const newView = (
  recharge: NewRechargeRow,
  { createdAt, provider, providerAccount, payee, approvalUntil }: Stored,
): RechargeView =>
  addShownTexts(
    {
      id: recharge.id,
      clientId: recharge.clientId,
      accountId: recharge.accountId,
      kind: recharge.kind,
      funding: recharge.funding,
      state: 'CREATED',
      confirmation: null,
      openCases: [],
      caseId: null,
      amountMinor: recharge.amountMinor,
      currency: recharge.currency,
      paymentMethod: recharge.paymentMethod,
      provider,
      providerAccount,
      payee,
      providerOrderId: null,
      externalReference: null,
      action: null,
      payableUntil: null,
      nextStep: approvalUntil ? 'approve' : 'submit',
      dueAt: approvalUntil,
      waiting: approvalUntil && { reason: 'APPROVAL', since: createdAt.toISOString() },
      providerDown: null,
      collectedBy: null,
      refundOf: null,
      refundedMinor: 0n,
      delivery: null,
      failureCode: null,
      failureMessage: null,
      metadata: recharge.metadata,
      createdAt,
      updatedAt: createdAt,
      submittedAt: null,
      succeededAt: null,
      failedAt: null,
      canceledAt: null,
    },
    recharge,
  );
