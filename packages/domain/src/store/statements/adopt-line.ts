import { AMOUNT_MINOR_MAX } from '../../core/money/money.js';
import { Prisma } from '../../generated/client.js';
import { type ActionRow, actionColumns, resolvedCases } from '../cases/action.js';
import { namesOrder } from '../cases/order-of-line.js';
import type { Run, Store } from '../database/database.js';
import { violated } from '../database/failure.js';
import { applier } from '../recharges/apply.js';
import { openCreator } from '../recharges/creation/create.js';
import type { InsertOptions } from '../recharges/creation/create-statement.js';
import type { PlanOptions } from '../recharges/decisions/plan.js';
import type { ProviderCallRow } from '../recharges/report.js';
import { adoptedMatch } from './store-lines.js';

/** The payment method of money that a payer paid at the provider without us. No client can name it. */
export const EXTERNAL = 'external';

/** The decision that a line of a statement is money of an account. */
export type LineAdoption = Readonly<{
  /** `statement:<id of the line>`. */
  subject: string;
  accountId: string;
  /** The client that the recharge belongs to. Null: the client that last recharged the account. */
  clientId: string | null;
  reason: string;
  /** The row that closes the case. */
  action: ActionRow;
}>;

/**
 * - `case_closed`: another decision was faster, or the line has found its recharge.
 * - `verb_not_offered`: the line names a recharge of ours, which books its money, or an order with money in suspense. So
 *   the line is not booked again.
 */
export type AdoptionProblem = 'case_closed' | 'verb_not_offered' | 'unknown_account' | 'beyond_balance';

type Line = Readonly<{
  id: string;
  provider: string;
  providerAccount: string;
  line: string;
  orderId: string | null;
  reference: string | null;
  amountMinor: bigint;
  currency: string;
}>;

type Adopting = Readonly<{ storing: Omit<InsertOptions, 'ceiling'>; applying: PlanOptions }>;

/**
 * Returns a function that books a line of a statement as a recharge that has succeeded. It is made, sent and settled in
 * one transaction of the database, so no worker ever sees it unfinished and sends an order for it. Returns why not, or
 * null.
 */
export const lineAdopter =
  ({ atomically }: Pick<Store, 'atomically'>, storing: Adopting['storing'], applying: PlanOptions) =>
  async (adoption: LineAdoption): Promise<AdoptionProblem | null> => {
    try {
      await atomically((run) => adopt(run, { storing, applying }, adoption));
      return null;
    } catch (error) {
      if (error instanceof NotAdopted) return error.problem;
      if (violated(error) === 'statement_match_pkey') return 'case_closed';
      throw error;
    }
  };

/** Undoes the transaction. */
class NotAdopted extends Error {
  override readonly name = 'NotAdopted';

  constructor(readonly problem: AdoptionProblem) {
    super(problem);
  }
}

async function adopt(run: Run, deps: Adopting, adoption: LineAdoption): Promise<void> {
  const line = await lineOf(run, adoption.subject);
  if (await isOurs(run, line)) throw new NotAdopted('verb_not_offered');
  const id = deps.storing.newId();
  await close(run, adoption, id);
  await create(run, deps, { id, line, adoption });
  await run(adoptedMatch(line.id, id));
  const reason = `${adoption.action.actor} says that line ${line.line} of the statement is its money: ${adoption.reason}`;
  await settle(run, deps, { id, line, reason });
}

async function lineOf(run: Run, subject: string): Promise<Line> {
  const [line] = await run<Line>(Prisma.sql`
    select id, provider, provider_account as "providerAccount", line, order_id as "orderId", reference,
      amount_minor as "amountMinor", currency
    from statement_line
    where id = ${subject.slice(subject.indexOf(':') + 1)}::uuid`);
  if (!line) throw new Error(`there is no line ${subject}`);
  return line;
}

async function isOurs(run: Run, { provider, providerAccount, orderId, reference }: Line): Promise<boolean> {
  const line = {
    provider: Prisma.sql`${provider}::text`,
    providerAccount: Prisma.sql`${providerAccount}::text`,
    reference: Prisma.sql`${reference}::text`,
    orderId: Prisma.sql`${orderId}::text`,
  };
  const [found] = await run<{ isOurs: boolean }>(Prisma.sql`select ${namesOrder(line)} as "isOurs"`);
  return found!.isOurs;
}

/** The action names the recharge, because a case of a line has none. */
async function close(run: Run, { action }: LineAdoption, transactionId: string): Promise<void> {
  const row = { ...action, evidence: { ...action.evidence, transactionId } };
  const closed = await run(Prisma.sql`
    with
    actions as ${actionColumns.from([row])},
    ${resolvedCases}
    select from resolved_cases`);
  if (closed.length === 0) throw new NotAdopted('case_closed');
}

type Booking = Readonly<{ id: string; line: Line }>;

async function create(
  run: Run,
  { storing }: Adopting,
  { id, line, adoption }: Booking & Readonly<{ adoption: LineAdoption }>,
): Promise<void> {
  const { accountId } = adoption;
  // No recharge has a larger amount, and not every reader of JSON holds it exactly.
  if (line.amountMinor > AMOUNT_MINOR_MAX) throw new NotAdopted('beyond_balance');
  const clientId = adoption.clientId ?? (await lastClientOf(run, accountId));
  if (clientId === null) throw new NotAdopted('unknown_account');
  const created = await openCreator(run, storing).any({
    ...{ id, clientId, accountId, kind: 'collect', destination: 'wallet' },
    ...{ provider: line.provider, providerAccount: line.providerAccount },
    ...{ amountMinor: line.amountMinor, currency: line.currency, paymentMethod: EXTERNAL },
    // The key contains a space, so no client can send it.
    idempotencyKey: `line ${line.id}`,
    ...{ metadata: {}, requestedAt: null, correlationId: storing.newId() },
  });
  if (created.ok && !created.replayed) return;
  throw new NotAdopted(
    !created.ok && created.problem === 'beyond_balance' ? 'beyond_balance' : 'case_closed',
  );
}

async function lastClientOf(run: Run, accountId: string): Promise<string | null> {
  const [last] = await run<{ clientId: string }>(Prisma.sql`
    select client_id as "clientId" from recharge_transaction where account_id = ${accountId} order by id desc limit 1`);
  return last?.clientId ?? null;
}

/** The order was never sent by us, and its call says so. */
async function settle(
  run: Run,
  { applying }: Adopting,
  { id, line, reason }: Booking & Readonly<{ reason: string }>,
): Promise<void> {
  const apply = applier(run, applying);
  const { claim } = await apply({ transactionId: id, news: 'submit', source: 'operator', reason });
  if (!claim) throw new Error(`recharge ${id} of a line was not claimed`);
  const now = new Date();
  const call: ProviderCallRow = {
    ...{ id: claim.callId, operation: 'submit', attempt: claim.attempt, outcome: 'settled' },
    ...{ providerCode: EXTERNAL, httpStatus: null, startedAt: now, endedAt: now },
  };
  const settled = await apply({
    ...{
      transactionId: id,
      news: 'settled',
      source: 'operator',
      reason,
      attempt: claim.attempt,
      calls: [call],
    },
    money: { amountMinor: line.amountMinor, currency: line.currency },
    ...(line.orderId !== null && { providerOrderId: line.orderId }),
  });
  if (settled.verdict !== 'moved') throw new Error(`recharge ${id} of a line ended as ${settled.verdict}`);
}
