import { endStates, type LoadScenario } from '../load/load.js';
import type { LoadCall } from '../load/producer.js';
import { told } from './database.js';
import type { Gathered, WitnessedCall, WitnessedOrder } from './witness.js';

/** What the test itself did and saw. */
export type History = Readonly<{
  /** Every try of every producer. */
  calls?: readonly LoadCall[];
  /** Events that the test posted itself and that were acknowledged. */
  eventIds?: readonly string[];
  /** Transactions for which the test spoke in the provider's place, so that the provider knows another story. */
  spokenFor?: readonly string[];
  /** How often the provider may be asked about one recharge; more where the test itself has it asked. */
  questionsMax?: number;
  /** How long all may take to come to rest. */
  restLimitMs?: number;
}>;

export type OrderEvidence = Gathered & Readonly<{ history: History }>;

/** INV1, INV9, INV14: what the provider has against what we say. */
export function unlikeProvider(evidence: OrderEvidence): string[] {
  const { recharges, intents, orders } = evidence;
  const spokenFor = new Set(evidence.history.spokenFor);
  const mine = [...recharges.values()].filter((row) => !spokenFor.has(row.transaction_id));
  const chargesOf = (id: string): number => orders.get(id)?.charges.length ?? 0;
  const disagreeing = mine.flatMap(({ transaction_id: id, state, amount, currency }) => {
    const order = orders.get(id);
    const agrees = agree(state, order, BigInt(amount), currency) || (evidence.cases.get(id) ?? []).length > 0;
    return agrees
      ? []
      : [`${id} is ${state}, the provider's ${order ? `order ${order.status}` : 'has no order'}`];
  });
  const early = [...orders.values()].filter(
    ({ reference, createdAt }) => !((intents.get(reference)?.getTime() ?? Infinity) <= Date.parse(createdAt)),
  );
  return [
    ...told(
      'INV1: at most one charge',
      [...recharges.keys()].filter((id) => chargesOf(id) > 1),
    ),
    ...told(
      'INV1: one charge where it succeeded',
      mine
        .filter(({ state, transaction_id }) => state === 'SUCCEEDED' && chargesOf(transaction_id) !== 1)
        .map((row) => row.transaction_id),
    ),
    ...told(
      'INV9: no order that nobody here sent',
      [...orders.keys()].filter((id) => !recharges.has(id)),
    ),
    ...told(
      'INV9: the intent is older than the order',
      early.map((order) => order.reference),
    ),
    ...told('INV14: we and the provider agree, or a case exists', disagreeing),
  ];
}

function agree(state: string, order: WitnessedOrder | undefined, amount: bigint, currency: string): boolean {
  if (state === 'SUCCEEDED')
    return order?.status === 'settled' && BigInt(order.amount) === amount && order.currency === currency;
  if (state === 'FAILED') return order === undefined || order.status === 'declined';
  if (state === 'PENDING_CONFIRMATION') return order?.status === 'pending';
  return order === undefined;
}

// The provider's word for "nothing was executed"; every other answer, and silence, may hide an order.
const NOTHING_EXECUTED = new Set(['429', '503']);
// Questions about one recharge: the gaps double, so even a minute of trouble asks a handful of times.
const QUESTIONS_MAX = 12;

/**
 * INV1 by the provider's own log: it folds two submits of one reference into one order, so only the log shows a blind
 * second submit. After a submit that may have been taken, the next contact asks.
 */
export function askedBeforeResent({ contacts, history }: OrderEvidence): string[] {
  const blind = (log: readonly WitnessedCall[]): boolean =>
    log.some(
      ({ operation }, n) =>
        n > 0 &&
        operation === 'submit' &&
        log[n - 1]!.operation === 'submit' &&
        !NOTHING_EXECUTED.has(log[n - 1]!.answer),
    );
  // 200 is the answer to a submit whose order was there already.
  const repeated = (log: readonly WitnessedCall[]): boolean =>
    log.some(({ operation, answer }) => operation === 'submit' && answer === '200');
  const questions = (log: readonly WitnessedCall[]): number =>
    log.filter(({ operation }) => operation === 'query').length;
  const where = (is: (log: readonly WitnessedCall[]) => boolean) =>
    [...contacts]
      .filter(([, log]) => is(log))
      .map(([id, log]) => `${id} ${log.map(({ operation, answer }) => `${operation} ${answer}`).join(', ')}`);
  return [
    ...told('INV1: never sent again blindly', where(blind)),
    ...told('INV1: never sent again while the order was there', where(repeated)),
    ...told(
      'INV7: asked a bounded number of times',
      where((log) => questions(log) > (history.questionsMax ?? QUESTIONS_MAX)),
    ),
  ];
}

/** INV2, INV8, INV10 by what the test saw, and the end that each scenario must have. */
export function unlikeHistory({ recharges, events, history }: OrderEvidence): string[] {
  const acknowledged = (history.calls ?? []).filter(({ status }) => status === 200 || status === 202);
  const idsOf = new Map<string, Set<string>>();
  for (const { ask, transactionId } of acknowledged) {
    const client = recharges.get(transactionId!)?.client_id;
    const key = `${client} ${ask.key}`;
    idsOf.set(key, (idsOf.get(key) ?? new Set()).add(transactionId!));
  }
  const kept = ({ ask, transactionId }: (typeof acknowledged)[number]): boolean => {
    const row = recharges.get(transactionId ?? '');
    return (
      row?.amount === String(ask.amount) && row.currency === ask.currency && row.account_id === ask.accountId
    );
  };
  const misled = acknowledged.flatMap(({ ask, transactionId }) => {
    const state = recharges.get(transactionId!)?.state ?? 'gone';
    const expected: readonly string[] = endStates[ask.scenario as LoadScenario];
    if (expected.includes(state) || history.spokenFor?.includes(transactionId!)) return [];
    return [`${transactionId} (${ask.scenario}) is ${state}`];
  });
  const stored = new Map(events.map(({ event_id, processed }) => [event_id, processed]));
  return [
    ...told(
      'INV2: one id for one key',
      [...idsOf].filter(([, ids]) => ids.size > 1).map(([key]) => key),
    ),
    ...told('INV8: what was acknowledged is there', acknowledged.filter((call) => !kept(call)).map(idOf)),
    ...told('INV14: every scenario ends as it must', [...new Set(misled)]),
    ...told(
      'INV10: an acknowledged event is kept and processed',
      (history.eventIds ?? []).filter((id) => !stored.get(id)),
    ),
  ];
}

const idOf = ({
  transactionId,
  ask,
}: Readonly<{ transactionId: string | null; ask: { key: string } }>): string =>
  `${transactionId} of ${ask.key}`;
