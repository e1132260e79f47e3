import { Prisma } from '../../generated/client.js';
import { coalesce } from '../batches/coalesce.js';
import type { DayCeiling } from '../ceilings/day-counter.js';
import type { Run } from '../database/database.js';
import { type RechargeView, viewColumns } from '../reads/view.js';
import { type Birth, type BirthResult, insertStatement, insertWithHolds } from './create-statement.js';
import { fingerprintOf } from './fingerprint.js';
import type { NewRecharge } from './new-recharge.js';

export type CreateProblem =
  | 'key_used_with_other_body'
  | 'insufficient_balance'
  | 'beyond_balance'
  | 'above_ceiling';

export type Created =
  | Readonly<{ ok: true; replayed: boolean; recharge: RechargeView }>
  | Readonly<{ ok: false; problem: CreateProblem }>;

type Existing = RechargeView & { idempotencyKey: string; fingerprint: string };

export type Creator = Readonly<{
  any(ask: NewRecharge): Promise<Created>;
  /** Only if the day's ceiling has room for it. */
  under(ceiling: DayCeiling, ask: NewRecharge): Promise<Created>;
}>;

/** Stores requests with their transactions; of requests with one key, whoever comes first. */
export function creator(run: Run, options: { hintLimitMs: number; newId: () => string }): Creator {
  const store = (statement: Statement) => (asks: readonly Birth[]) => storeOrFind(run, asks, statement);
  // Two halves of 64 callers take turns: with all of them in one batch the process idled while that was stored.
  const limits = { batchMax: 32, inFlightMax: 2 };
  const collect = coalesce<Birth, Created>(
    store((asks) => insertStatement(asks, options)),
    limits,
  );
  const deliver = coalesce<Birth, Created>(
    store((asks) => insertWithHolds(asks, options)),
    { ...limits, lockOf: ({ accountId, currency }) => `${accountId} ${currency}` },
  );
  const birthOf = (ask: NewRecharge): Birth => ({ ...ask, fingerprint: fingerprintOf(ask) });
  return {
    any: async (ask) => (ask.kind === 'deliver' ? deliver : collect)(birthOf(ask)),
    under: async (ceiling, ask) => {
      const insert = ask.kind === 'deliver' ? insertWithHolds : insertStatement;
      const [created] = await storeOrFind(run, [birthOf(ask)], (asks) =>
        insert(asks, { ...options, ceiling }),
      );
      if (created instanceof Error) throw created;
      return created!;
    },
  };
}

type Statement = (asks: readonly Birth[]) => Prisma.Sql;

async function storeOrFind(
  run: Run,
  asks: readonly Birth[],
  statement: Statement,
): Promise<(Created | Error)[]> {
  const results = new Map((await run<BirthResult>(statement(asks))).map((row) => [row.id, row]));
  const unstored = asks.filter((ask) => results.get(ask.id)?.fate !== 'stored');
  const existing = unstored.length > 0 ? await findByKey(run, unstored) : new Map<string, Existing>();
  const refused = unstored.filter((ask) => results.get(ask.id) && !existing.has(keyOf(ask)));
  // A repeated key that was not visible yet counted as spent, and may have crowded these out of the balance.
  const wasCrowded = refused.length > 0 && refused.length < unstored.length;
  const again = wasCrowded ? await storeOrFind(run, refused, statement) : [];
  return asks.map((ask) => {
    const result = results.get(ask.id);
    if (result?.fate === 'stored')
      return { ok: true, replayed: false, recharge: newView(ask, result.createdAt) };
    const first = existing.get(keyOf(ask));
    if (first) return replayOf(ask, first);
    if (result) return again[refused.indexOf(ask)] ?? { ok: false, problem: problemOf[result.fate] };
    return new Error(`recharge ${ask.id} was neither stored nor refused, and its key stands for no other`);
  });
}

const problemOf = {
  uncovered: 'insufficient_balance',
  beyond_balance: 'beyond_balance',
  above_ceiling: 'above_ceiling',
} as const satisfies Record<Exclude<BirthResult['fate'], 'stored'>, CreateProblem>;

function replayOf(ask: Birth, { idempotencyKey, fingerprint, ...recharge }: Existing): Created {
  if (fingerprint !== ask.fingerprint) return { ok: false, problem: 'key_used_with_other_body' };
  return { ok: true, replayed: true, recharge };
}

/** The one who comes second reads after its own statement: that one's snapshot is older than the rival's commit. */
async function findByKey(run: Run, asks: readonly Birth[]): Promise<Map<string, Existing>> {
  const keys = JSON.stringify(asks.map((ask) => ({ client: ask.clientId, key: ask.idempotencyKey })));
  const rows = await run<Existing>(Prisma.sql`
    select q.idempotency_key as "idempotencyKey", q.fingerprint, ${Prisma.raw(viewColumns)}
    from (select distinct client, key from jsonb_to_recordset(${keys}::jsonb) as a(client uuid, key text)) asked
    join recharge_request q on q.client_id = asked.client and q.idempotency_key = asked.key
    join recharge_transaction t on t.id = q.transaction_id`);
  return new Map(rows.map((row) => [keyOf(row), row]));
}

const keyOf = (of: { clientId: string; idempotencyKey: string }): string =>
  `${of.clientId} ${of.idempotencyKey}`;

const newView = (ask: NewRecharge, createdAt: Date): RechargeView => ({
  id: ask.id,
  clientId: ask.clientId,
  accountId: ask.accountId,
  state: 'CREATED',
  confirmation: null,
  openCases: [],
  amountMinor: ask.amountMinor,
  currency: ask.currency,
  paymentMethod: ask.paymentMethod,
  provider: ask.provider,
  providerOrderId: null,
  orderReference: ask.orderReference,
  failureCode: null,
  failureMessage: null,
  metadata: ask.metadata,
  createdAt,
  updatedAt: createdAt,
  submittedAt: null,
  succeededAt: null,
  failedAt: null,
  canceledAt: null,
});
