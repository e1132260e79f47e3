import { z } from 'zod';
import { type ScenarioName, scenarioNames } from './scenarios.js';

export type StoredOrderStatus = 'pending' | 'settled' | 'declined' | 'canceled';

/**
 * The form of references and account ids. They become keys of the store and parts of URLs, so the characters are
 * restricted. 128 is well below the key length limit of the store.
 */
const NAME = /^[A-Za-z0-9._:-]{1,128}$/;
export const isReference = (given: unknown): given is string => typeof given === 'string' && NAME.test(given);

const name = z.string().regex(NAME, 'must be 1 to 128 characters of A-Z a-z 0-9 . _ : -');

/** Body of a submit call. `amount` is in minor units of `currency`. */
export const OrderRequest = z.object({
  reference: name,
  accountId: name,
  amount: z.int('must be a JSON integer of minor units, 1 to 2^53-1').min(1),
  currency: z.string().regex(/^[A-Z]{3}$/, 'must be an upper-case ISO 4217 code'),
  paymentMethod: z.string().max(64).default('sandbox'),
  /** The URL that webhooks are sent to. Without it no webhook is sent. */
  notifyUrl: z
    .url({ protocol: /^https?$/ })
    .max(2_048)
    .nullish(),
  scenario: z.enum(scenarioNames).default('ok'),
  /** The reference of the order whose money goes back. Null: the order is no refund. */
  refundOf: name.nullish(),
});
export type OrderRequest = z.infer<typeof OrderRequest>;

/** An order as it is stored. Amounts are in minor units, times in milliseconds since 1970. */
export type StoredOrder = Readonly<{
  id: string;
  reference: string;
  accountId: string;
  orderedAmount: number;
  /** The amount that is charged. It differs from `orderedAmount` only after `wrong_amount` settled. */
  amount: number;
  currency: string;
  paymentMethod: string;
  notifyUrl: string | null;
  scenario: ScenarioName;
  /** The reference of the order that this one pays back. Missing: it is no refund. */
  refundOf?: string | null;
  status: StoredOrderStatus;
  /** The time at which the order entered each status. */
  enteredAtMs: Readonly<Partial<Record<StoredOrderStatus, number>>>;
}>;

export function makeOrder(
  request: OrderRequest,
  id: string,
  status: 'pending' | 'settled',
  nowMs: number,
): StoredOrder {
  return {
    id,
    reference: request.reference,
    accountId: request.accountId,
    orderedAmount: request.amount,
    amount: request.amount,
    currency: request.currency,
    paymentMethod: request.paymentMethod,
    notifyUrl: request.notifyUrl ?? null,
    scenario: request.scenario,
    refundOf: request.refundOf ?? null,
    status,
    enteredAtMs: { pending: nowMs, [status]: nowMs },
  };
}

export const isSameIntent = (order: StoredOrder, request: OrderRequest): boolean =>
  order.orderedAmount === request.amount &&
  order.currency === request.currency &&
  order.accountId === request.accountId &&
  (order.refundOf ?? null) === (request.refundOf ?? null);

/**
 * The order after an event. `amountOff` is added to the amount. At the top of the range it is subtracted, so that the
 * amount stays an exact integer.
 */
export function enter(
  order: StoredOrder,
  status: StoredOrderStatus,
  amountOff: number,
  nowMs: number,
): StoredOrder {
  const amount = order.amount + amountOff;
  return {
    ...order,
    amount: Number.isSafeInteger(amount) ? amount : order.amount - amountOff,
    status,
    enteredAtMs: { ...order.enteredAtMs, [status]: nowMs },
  };
}

const atIso = (ms: number | undefined): string => new Date(ms ?? 0).toISOString();

/** The charges of the order: one when it is settled, none otherwise. */
const chargesOf = (order: StoredOrder, status: StoredOrderStatus) =>
  status === 'settled' ? [{ amount: order.amount, status: order.refundOf ? 'refunded' : 'captured' }] : [];

/** The order as the provider API and its webhooks show it, in its current status or an earlier one. */
export function showOrder(order: StoredOrder, status: StoredOrderStatus = order.status) {
  const isDeclined = status === 'declined';
  return {
    id: order.id,
    reference: order.reference,
    accountId: order.accountId,
    amount: order.amount,
    currency: order.currency,
    ...(order.refundOf && { refundOf: order.refundOf }),
    status,
    code: isDeclined ? 'insufficient_funds' : null,
    message: isDeclined ? 'the account to be charged has insufficient funds' : null,
    charges: chargesOf(order, status),
    createdAt: atIso(order.enteredAtMs.pending),
  };
}

/** The order as the control API shows it. */
export const inspectOrder = (order: StoredOrder) => ({
  id: order.id,
  reference: order.reference,
  amount: order.amount,
  currency: order.currency,
  status: order.status,
  ...(order.refundOf && { refundOf: order.refundOf }),
  charges: chargesOf(order, order.status),
  scenario: order.scenario,
  createdAt: atIso(order.enteredAtMs.pending),
});

/** Body of the webhook that reports one status. Repeated deliveries have the same bytes. */
export const webhookBody = (order: StoredOrder, status: StoredOrderStatus): string =>
  JSON.stringify({
    type: `order.${status}`,
    timestamp: atIso(order.enteredAtMs[status]),
    data: showOrder(order, status),
  });
