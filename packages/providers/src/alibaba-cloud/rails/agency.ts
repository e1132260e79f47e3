import type {
  CallAnswer,
  CallFacts,
  NoDefiniteAnswer,
  Order,
  QueryOutcome,
  ScanEvidence,
  SoughtOrder,
  SubmitOutcome,
} from '../../contract/order.js';
import type { ProofOfAbsence, Provider } from '../../contract/provider.js';
import { toMajor } from '../amounts.js';
import { type CodeMeaning, meaningOfCode } from '../codes.js';
import { type CloudAccess, type CloudRpc, factsOfExchange, openRpc, type RpcExchange } from '../rpc.js';
import {
  AGENCY_CURRENCY,
  ask,
  type CustomerCredit,
  type Deduction,
  readCredit,
  readDeductions,
} from './agency-reads.js';

export type AgencyOptions = CloudAccess &
  Readonly<{
    /** `deduct`: DeductOutstandingBalance, which is relative. `credit_line`: SetCreditLine, which is absolute. */
    by: 'deduct' | 'credit_line';
    proof: ProofOfAbsence;
    now?: () => Date;
    pageSize?: number;
  }>;

/**
 * Alibaba Cloud's rail `agency`, for international partners: a customer may spend more, and no cash moves. The calls take
 * no key and store no reference, so each order is told by amount and time only. The generic client calls them: the typed
 * one makes the id of the customer a number, and ids exceed 2^53.
 */
export function agencyRail(options: AgencyOptions): Provider {
  // A deduction is told by its time, so the two clocks may differ only by what the provider allows.
  const rpc = openRpc(options, null);
  const { proof, by } = options;
  return {
    name: 'alibaba_cloud',
    orders: {
      promises: { idempotentSubmit: false, queryByReference: false, proof, findLimitMs: FIND_LIMIT_MS },
      submit: (order, signal) => submit(rpc, order, by, signal),
      find: (order, signal) => (by === 'deduct' ? find(rpc, order, options, signal) : noMemory()),
    },
    close: () => Promise.resolve(),
  };
}

const FIND_LIMIT_MS = 30_000;
const nothingSent: CallFacts = { httpStatus: null, providerCode: null };
const wrongCurrency: SubmitOutcome = {
  kind: 'rejected',
  code: 'InvalidParameter.Currency',
  message: 'credits of customers are in USD',
};

/** Sends an order once, between two reads of the credit. The second read is what tells that money moved. */
async function submit(
  rpc: CloudRpc,
  order: Order,
  by: AgencyOptions['by'],
  signal: AbortSignal,
): Promise<CallAnswer<SubmitOutcome>> {
  if (order.currency !== AGENCY_CURRENCY) return { outcome: wrongCurrency, facts: nothingSent };
  const uid = uidOf(order);
  const before = await readCredit(rpc, uid, signal);
  if ('meaning' in before) return { outcome: notSent(before.meaning), facts: before.facts };
  const changed = changeOf(order, before.value, by);
  const exchange = await ask(rpc, changed.action, { Uid: uid, ...changed.form }, signal);
  const facts = factsOfExchange(exchange);
  const meaning = meaningOfExchange(exchange);
  if (meaning && meaning.kind !== 'unknown') return { outcome: meaning, facts };
  const after = await readCredit(rpc, uid, signal);
  const isSeen = 'value' in after && changed.isSeenIn(after.value);
  if (exchange.kind === 'answered') return { outcome: outcomeOfSuccess(exchange.json, order, isSeen), facts };
  // The call got no clear answer. A changed credit line proves that it was executed, because nobody but us changes the
  // line. A changed balance proves nothing: usage may have changed it by the same amount.
  return { outcome: isSeen && by === 'credit_line' ? settled(order) : meaning!, facts };
}

/** The meaning of a call that did not succeed. Null: it was answered. */
function meaningOfExchange(exchange: RpcExchange): CodeMeaning | null {
  if (exchange.kind === 'answered') return null;
  return exchange.kind === 'refused' ? meaningOfCode(exchange) : exchange.outcome;
}

/** The order was not sent, because the customer could not be read. Only a definite refusal is one of the order. */
const notSent = (meaning: CodeMeaning): SubmitOutcome =>
  meaning.kind === 'unknown' ? { kind: 'not_executed', cause: 'unavailable' } : meaning;

type Change = Readonly<{
  action: string;
  form: Record<string, string>;
  isSeenIn: (after: CustomerCredit) => boolean;
}>;

function changeOf({ amountMinor, currency }: Order, before: CustomerCredit, by: AgencyOptions['by']): Change {
  if (by === 'deduct')
    return {
      action: 'DeductOutstandingBalance',
      form: { DeductAmount: toMajor(amountMinor, currency) },
      isSeenIn: ({ outstandingMinor }) => outstandingMinor === before.outstandingMinor - amountMinor,
    };
  const wanted = before.creditLineMinor + amountMinor;
  return {
    action: 'SetCreditLine',
    form: { CreditLine: toMajor(wanted, currency) },
    isSeenIn: ({ creditLineMinor }) => creditLineMinor === wanted,
  };
}

/** Success says that the call arrived, and not that the credit changed. */
function outcomeOfSuccess(json: unknown, order: Order, isSeen: boolean): SubmitOutcome {
  const { Success } = json as Record<string, unknown>;
  if (Success !== true && Success !== 'true') return { kind: 'unknown', cause: 'unreadable' };
  if (isSeen) return settled(order);
  return {
    kind: 'accepted',
    providerOrderId: null,
    amountMinor: order.amountMinor,
    currency: order.currency,
  };
}

const ours = ({ reference, amountMinor, currency }: Order | SoughtOrder) => ({
  ...{ providerOrderId: reference, accountId: null, amountMinor, currency },
});
const settled = (order: Order): SubmitOutcome => ({ kind: 'settled', ...ours(order) });

function uidOf({ destination }: Order | SoughtOrder): string {
  if (!destination) throw new RangeError('a change of a credit needs a customer');
  return destination.to;
}

/** A credit line shows its present value only, so no query can tell whether an order is in it. */
const noMemory = (): Promise<CallAnswer<QueryOutcome>> =>
  Promise.resolve({ outcome: { kind: 'unknown', cause: 'unproven', code: 'NoLookUp' }, facts: nothingSent });

// The clocks of the provider and of the database may differ by this. A greater difference refuses the call's date.
const SKEW_MS = 16 * 60_000;
// The time of a row is cut to a second.
const SECOND_MS = 1_000;

/**
 * Looks for a deduction of the amount. Only one row after the first submit, and none shortly before it, is certainly the
 * order: one from before may be that of an earlier order if the clocks differ.
 */
async function find(
  rpc: CloudRpc,
  order: SoughtOrder,
  { now = () => new Date(), pageSize }: AgencyOptions,
  signal: AbortSignal,
): Promise<CallAnswer<QueryOutcome>> {
  if (!order.submits) throw new RangeError('a search needs the times of the submits');
  const begunAt = now();
  const startedMs = order.submits.firstStartedAt.getTime();
  const from = new Date(startedMs - SKEW_MS);
  const to = new Date(begunAt.getTime() + SKEW_MS);
  const read = await readDeductions(rpc, { uid: uidOf(order), from, to }, signal, pageSize);
  if ('meaning' in read) return { outcome: unanswered(read.meaning), facts: read.facts };
  const { rows, pages, isComplete } = read.value;
  const like = rows.filter(
    ({ at, amountMinor, isByApi }) => isByApi && amountMinor === order.amountMinor && at >= from && at <= to,
  );
  const since = like.filter(({ at }) => at.getTime() >= startedMs - SECOND_MS);
  const isCertain = like.length === since.length;
  const evidence: ScanEvidence = {
    ...{ windowFrom: from.toISOString(), windowTo: to.toISOString() },
    ...{ begunAt: begunAt.toISOString(), endedAt: now().toISOString(), sides: 'source' },
    ...{ pages, rows: rows.length, newestRowAt: newestOf(rows), isComplete },
    suspects: isCertain && since.length < 2 ? [] : like.map(({ at }) => at.toISOString()),
  };
  return { outcome: outcomeOfRows(order, since.length, isCertain, isComplete), facts: read.facts, evidence };
}

function outcomeOfRows(
  order: SoughtOrder,
  count: number,
  isCertain: boolean,
  isComplete: boolean,
): QueryOutcome {
  if (!isComplete) return { kind: 'unknown', cause: 'unproven', code: 'IncompleteScan' };
  if (!isCertain) return { kind: 'unknown', cause: 'unproven', code: 'SuspectRow' };
  if (count > 1) return { kind: 'several', count };
  return count === 0 ? { kind: 'absent' } : { kind: 'found', status: 'settled', ...ours(order) };
}

const newestOf = (rows: readonly Deduction[]): string | null =>
  rows.length === 0 ? null : new Date(Math.max(...rows.map(({ at }) => at.getTime()))).toISOString();

/** A refused question says nothing about the order. */
const unanswered = (meaning: CodeMeaning): NoDefiniteAnswer =>
  meaning.kind === 'rejected' ? { kind: 'unknown', cause: 'unreadable', code: meaning.code } : meaning;
