import { z } from 'zod';
import type { OrderStatus } from '../contract/order.js';

const printable = (max: number) => z.string().regex(new RegExp(`^[\\x21-\\x7e]{1,${max}}$`));

// Messages are displayed and stored. Postgres refuses NUL, and would get lone surrogates in a changed form. So control
// characters and surrogates become spaces.
const message = z.string().transform((text) => text.slice(0, 500).replace(/[\p{Cc}\p{Cs}]/gu, ' '));

/** `z.int()` accepts at most 2^53-1. A larger number in JSON, such as 9007199254740993, is refused. */
const amount = z.int().min(1);

const orderSchema = z.object({
  id: printable(255),
  reference: printable(255),
  accountId: z.string().max(255),
  amount,
  currency: z.string().regex(/^[A-Z]{3}$/),
  status: z.enum(['pending', 'settled', 'declined', 'canceled']),
  code: printable(64).nullish(),
  message: message.nullish(),
  refundOf: z.string().nullish(),
  charges: z.array(z.object({ amount, status: z.string() })),
});
type ReadOrder = z.infer<typeof orderSchema>;

// The schemas are built once, because zod compiles a schema at its first use. That costs as much as a whole call.
const orderList = z.object({ orders: z.array(orderSchema) });
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
  isPartlyRead?: boolean;
}>;

/** Null when the JSON is not an order of the protocol. */
export const readOrder = (json: unknown): SandboxOrder | null => orderOf(orderSchema.safeParse(json).data);

/** Null when the JSON is not a list of orders. An empty list means "no such order". */
export function readOrderList(json: unknown): SandboxOrder[] | null {
  const orders = orderList.safeParse(json).data?.orders.map(orderOf) ?? [null];
  return orders.includes(null) ? null : (orders as SandboxOrder[]);
}

/** The machine-readable code of an error response. Null when it has none, as most orders have. */
export const readErrorCode = (json: unknown): string | null =>
  (json as { code?: unknown } | null)?.code ? (errorCode.safeParse(json).data?.code ?? null) : null;

export const readErrorMessage = (json: unknown): string => errorMessage.safeParse(json).data?.message ?? '';

function orderOf(read: ReadOrder | undefined): SandboxOrder | null {
  if (!read) return null;
  const amountMinor = amountOf(read);
  if (amountMinor === null) return null;
  const order: { -readonly [Name in keyof SandboxOrder]: SandboxOrder[Name] } = {
    providerOrderId: read.id,
    reference: read.reference,
    accountId: read.accountId,
    status: read.status,
    amountMinor,
    currency: read.currency,
  };
  if (read.code) order.code = read.code;
  if (read.message) order.message = read.message;
  if (isPartlyRead(read)) order.isPartlyRead = true;
  return order;
}

/**
 * The amount of an order. For a settled order it is the captured money less the refunds, before that the requested
 * amount. So a refund or a second charge shows as a wrong amount. Of a refund it is the money that went back. Null for a contradiction: settled without money, or
 * declined or canceled with money.
 */
function amountOf(read: ReadOrder): bigint | null {
  const [forth, back] = [sumOf(read, 'captured'), sumOf(read, 'refunded')];
  const moved = read.refundOf ? back - forth : forth - back;
  if (read.status === 'settled') return moved > 0n ? moved : null;
  return read.status !== 'pending' && moved !== 0n ? null : BigInt(read.amount);
}

const sumOf = ({ charges }: ReadOrder, status: string): bigint =>
  charges.reduce((sum, charge) => (charge.status === status ? sum + BigInt(charge.amount) : sum), 0n);

/**
 * Whether the order has charges that this code does not understand. The protocol allows one charge, and only on a settled
 * order: captured, or refunded where the order is a refund. Any other charge may be about money.
 */
function isPartlyRead({ status, charges, refundOf }: ReadOrder): boolean {
  const expected = refundOf ? 'refunded' : 'captured';
  const others = charges.filter((charge) => charge.status !== expected);
  return others.length > 0 || charges.length > (status === 'settled' ? 1 : 0);
}
