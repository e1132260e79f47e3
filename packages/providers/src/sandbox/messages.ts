import { z } from 'zod';
import type { OrderStatus } from '../contract.js';

const printable = (max: number) => z.string().regex(new RegExp(`^[\\x21-\\x7e]{1,${max}}$`));

// Shown to people and stored: NUL and lone surrogates are what Postgres refuses or silently changes.
const message = z.string().transform((text) => text.slice(0, 500).replace(/[\p{Cc}\p{Cs}]/gu, ' '));

/** `z.int()` ends at 2^53-1; JSON's 9007199254740993 arrives as a number beyond it and is refused. */
const amount = z.int().min(1);

const order = z.object({
  id: printable(255),
  reference: printable(255),
  accountId: z.string().max(255),
  amount,
  currency: z.string().regex(/^[A-Z]{3}$/),
  status: z.enum(['pending', 'settled', 'declined', 'canceled']),
  code: printable(64).nullish(),
  message: message.nullish(),
  charges: z.array(z.object({ amount, status: z.string() })),
});

const event = z.object({
  type: z.enum(['order.pending', 'order.settled', 'order.declined', 'order.canceled']),
  data: order,
});

// Built once: zod compiles a schema at its first use, which costs as much as a call.
const orderList = z.object({ orders: z.array(order) });
const errorCode = z.object({ code: printable(64) });
const errorMessage = z.object({ message });

export type SandboxOrder = Readonly<{
  providerOrderId: string;
  reference: string;
  accountId: string;
  status: OrderStatus;
  amountMinor: bigint;
  currency: string;
  code?: string;
  message?: string;
}>;

/** Null: not an order as the protocol describes it. */
export const readOrder = (json: unknown): SandboxOrder | null => orderOf(order.safeParse(json).data);

/** Null: not the protocol's list. An empty list is its word for "no such order". */
export function readOrderList(json: unknown): SandboxOrder[] | null {
  const orders = orderList.safeParse(json).data?.orders.map(orderOf) ?? [null];
  return orders.includes(null) ? null : (orders as SandboxOrder[]);
}

/** Null: not an event as the protocol describes it. */
export function readOrderEvent(json: unknown): SandboxOrder | null {
  const read = event.safeParse(json).data;
  if (!read) return null;
  const status = read.type.slice('order.'.length);
  // An event that says one thing in its type and another in its order is no news to act upon.
  return status === read.data.status ? orderOf(read.data) : null;
}

/** The machine-readable code of an error answer, if it has one. */
export const readErrorCode = (json: unknown): string | null => errorCode.safeParse(json).data?.code ?? null;

export const readErrorMessage = (json: unknown): string => errorMessage.safeParse(json).data?.message ?? '';

function orderOf(read: z.infer<typeof order> | undefined): SandboxOrder | null {
  if (!read) return null;
  const amountMinor = movedMinor(read);
  if (amountMinor === null) return null;
  return {
    providerOrderId: read.id,
    reference: read.reference,
    accountId: read.accountId,
    status: read.status,
    amountMinor,
    currency: read.currency,
    ...(read.code ? { code: read.code } : {}),
    ...(read.message ? { message: read.message } : {}),
  };
}

/**
 * The money of an order: what was captured once it is settled, what was asked for until then. A second charge on one
 * order thereby shows as a wrong amount. Settled without any capture contradicts itself: null.
 */
function movedMinor(read: z.infer<typeof order>): bigint | null {
  if (read.status !== 'settled') return BigInt(read.amount);
  const captured = read.charges.filter((charge) => charge.status === 'captured');
  if (captured.length === 0) return null;
  return captured.reduce((sum, charge) => sum + BigInt(charge.amount), 0n);
}
