import { endStates, type LoadScenario } from '../load/load.js';
import type { LoadCall } from '../load/producer.js';
import { finding } from './database.js';
import type { Gathered, WitnessedCall, WitnessedOrder } from './witness.js';

/** The actions and observations of the test itself. */
export type History = Readonly<{
  /** All tries of all producers. */
  calls?: readonly LoadCall[];
  /** Acknowledged events that the test itself posted. */
  eventIds?: readonly string[];
  /** Transactions for which the test played the provider. The sandbox's orders do not match them. */
  spokenFor?: readonly string[];
  /** The most queries about one recharge. A test that causes queries itself sets a higher number. */
  questionsMax?: number;
  /** The longest time until all is at rest. */
  restLimitMs?: number;
}>;

export type OrderEvidence = Gathered & Readonly<{ history: History }>;

/** INV1, INV9, INV14: compares the provider's orders with our recharges. */
export function differencesFromProvider(evidence: OrderEvidence): string[] {
  const { recharges, intents, orders } = evidence;
  const spokenFor = new Set(evidence.history.spokenFor);
  const mine = [...recharges.values()].filter(
    ({ provider, transaction_id }) => provider === 'sandbox' && !spokenFor.has(transaction_id),
  );
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
    ...finding(
      'INV1: at most one charge',
      [...recharges.keys()].filter((id) => chargesOf(id) > 1),
    ),
    ...finding(
      'INV1: one charge if it succeeded',
      mine
        .filter(({ state, transaction_id }) => state === 'SUCCEEDED' && chargesOf(transaction_id) !== 1)
        .map((row) => row.transaction_id),
    ),
    ...finding(
      'INV9: no order that we did not send',
      [...orders.keys()].filter((id) => !recharges.has(id)),
    ),
    ...finding(
      'INV9: the intent is older than the order',
      early.map((order) => order.reference),
    ),
    ...finding('INV14: we and the provider agree, or a case exists', disagreeing),
  ];
}

function agree(state: string, order: WitnessedOrder | undefined, amount: bigint, currency: string): boolean {
  if (state === 'SUCCEEDED')
    return order?.status === 'settled' && BigInt(order.amount) === amount && order.currency === currency;
  if (state === 'FAILED') return order === undefined || order.status === 'declined';
  if (state === 'PENDING_CONFIRMATION') return order?.status === 'pending';
  return order === undefined;
}

// The provider's answers that mean "nothing was executed". After any other answer, or silence, there may be an order.
const NOTHING_EXECUTED = new Set(['429', '503']);
// The most queries about one recharge. Their gaps double, so even an outage of a minute causes only a few.
const QUESTIONS_MAX = 12;

/**
 * Checks INV1 by the provider's own log. The provider keeps one order per reference, so only its log shows a blind
 * second submit. After a submit that may have been accepted, the next call must be a query.
 */
export function blindResubmits({ contacts, history }: OrderEvidence): string[] {
  const blind = (log: readonly WitnessedCall[]): boolean =>
    log.some(
      ({ operation }, n) =>
        n > 0 &&
        operation === 'submit' &&
        log[n - 1]!.operation === 'submit' &&
        !NOTHING_EXECUTED.has(log[n - 1]!.answer),
    );
  // 200 is the answer to a submit whose order exists already.
  const repeated = (log: readonly WitnessedCall[]): boolean =>
    log.some(({ operation, answer }) => operation === 'submit' && answer === '200');
  const questions = (log: readonly WitnessedCall[]): number =>
    log.filter(({ operation }) => operation === 'query').length;
  const where = (is: (log: readonly WitnessedCall[]) => boolean) =>
    [...contacts]
      .filter(([, log]) => is(log))
      .map(([id, log]) => `${id} ${log.map(({ operation, answer }) => `${operation} ${answer}`).join(', ')}`);
  return [
    ...finding('INV1: never sent again blindly', where(blind)),
    ...finding('INV1: never sent again while the order existed', where(repeated)),
    ...finding(
      'INV7: asked a bounded number of times',
      where((log) => questions(log) > (history.questionsMax ?? QUESTIONS_MAX)),
    ),
  ];
}

/** Checks INV2, INV8 and INV10 by the observations of the test, and the state in which each scenario must end. */
export function differencesFromHistory({ recharges, events, history }: OrderEvidence): string[] {
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
    ...finding(
      'INV2: one id for one key',
      [...idsOf].filter(([, ids]) => ids.size > 1).map(([key]) => key),
    ),
    ...finding('INV8: an acknowledged recharge exists', acknowledged.filter((call) => !kept(call)).map(idOf)),
    ...finding('INV14: every scenario ends as it must', [...new Set(misled)]),
    ...finding(
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
