import { isSameMoney } from '../money/money.js';
import type { News, State } from '../recharge.js';
import { isOtherOrder, type OwnOrder, type ReportedOrder } from '../same-order.js';
import type { SuspendedMoney } from './case-kinds.js';

/**
 * The money of a settled order that no journal of the recharge's own state posts.
 * - In CREATED there is none. Our order was not sent yet. The provider will answer its submit with the order that it
 *   reports here, and that answer posts the money.
 * - In SUCCEEDED there is some only if another order took it. Money of the recharge's own order is posted already.
 */
export function movedElsewhere(
  r: OwnOrder & Readonly<{ state: State }>,
  report: ReportedOrder & Readonly<{ news: News }>,
): SuspendedMoney | null {
  if (report.news !== 'settled' || r.state === 'CREATED') return null;
  if (r.state === 'SUCCEEDED' && !isOtherOrder(r, report)) return null;
  const { amountMinor, currency } = report.money ?? r;
  return { amountMinor, currency, providerOrderId: report.providerOrderId ?? r.providerOrderId };
}

/** Reports of one order are repeated, some of them without its id. An order that settles in another amount moved more. */
export const isSameSuspended = (known: SuspendedMoney, said: SuspendedMoney): boolean =>
  isSameMoney(known, said) &&
  (known.providerOrderId === null ||
    said.providerOrderId === null ||
    known.providerOrderId === said.providerOrderId);

/**
 * Whether the provider says that this happened before it settled the order. Events arrive in any order, so an older
 * decline takes nothing back.
 */
export const isOlderThanSettlement = (
  r: Readonly<{ state: State; settledSaidAt: Date | null }>,
  { saidAt }: Readonly<{ saidAt?: Date }>,
): boolean =>
  r.state === 'SUCCEEDED' &&
  r.settledSaidAt !== null &&
  saidAt !== undefined &&
  saidAt.getTime() < r.settledSaidAt.getTime();
