import type { StripeBook } from './machine.js';
import {
  type StoredBalanceTransaction,
  showBalanceTransaction,
  showCharge,
  showList,
  showRefund,
} from './objects.js';
import { type FormParams, limitOf } from './params.js';
import type { StripeStore } from './store.js';

// How many rows are read from the store at a time. The list is filtered by time only after it was read.
const READ_MAX = 1_000;

/** GET /v1/balance_transactions: newest first, with `created[gte]`, `created[lt]` and `expand[]=data.source`. */
export function balanceTransactions(
  { book, store }: Readonly<{ book: StripeBook; store: StripeStore }>,
  params: FormParams,
) {
  const limit = limitOf(params);
  const since = Number(params.get('created[gte]') ?? 0);
  const until = Number(params.get('created[lt]') ?? Number.MAX_SAFE_INTEGER);
  const isExpanded = [...params].some(
    ([name, value]) => name.startsWith('expand[') && value === 'data.source',
  );
  const found: StoredBalanceTransaction[] = [];
  let before = params.get('starting_after');
  for (;;) {
    const rows = book.balanceTransactions(READ_MAX, before);
    found.push(...rows.filter(({ created }) => created >= since && created < until));
    before = rows.at(-1)?.id;
    const isOver = rows.length < READ_MAX || rows.at(-1)!.created < since;
    if (isOver || found.length > limit) break;
  }
  const page = found
    .slice(0, limit)
    .map((one) => showBalanceTransaction(one, sourceOf(one, store, isExpanded)));
  return showList('/v1/balance_transactions', page, found.length > limit);
}

function sourceOf({ type, of }: StoredBalanceTransaction, store: StripeStore, isExpanded: boolean) {
  if (type === 'refund') {
    const refund = store.refunds.get(of);
    return refund ? (isExpanded ? showRefund(refund) : refund.id) : null;
  }
  const intent = store.intents.get(of);
  return intent ? (isExpanded ? showCharge(intent) : intent.chargeId) : null;
}
