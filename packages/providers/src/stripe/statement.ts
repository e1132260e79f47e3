import type { Stripe } from 'stripe';
import type { CallAnswer } from '../contract/order.js';
import type { ProviderLine, StatementOutcome, StatementReads } from '../contract/statement.js';
import { fromStripe } from './amounts.js';
import type { StripeClient } from './client.js';
import { factsOf, outcomeOfError } from './errors.js';
import { OUR_ID } from './intents.js';

/**
 * The types of balance transactions that move money of payers. The others, such as payouts to our bank and Stripe's own
 * fees, are no recharges.
 */
const typesOfPayers: ReadonlySet<string> = new Set([
  'charge',
  'payment',
  'refund',
  'payment_refund',
  'refund_failure',
  'payment_failure_refund',
  'payment_reversal',
  'adjustment',
]);

// An expanded charge has some 4 kB.
const PAGE_SIZE = 50;

/** The balance transactions of our account, newest first. They have no running balance. */
export const stripeStatement = (client: StripeClient, now: () => Date): StatementReads => ({
  async read({ from, to, after }, signal): Promise<CallAnswer<StatementOutcome>> {
    const params = {
      // Stripe's times are whole seconds.
      created: { gte: Math.floor(from.getTime() / 1_000), lt: Math.ceil(to.getTime() / 1_000) },
      limit: PAGE_SIZE,
      expand: ['data.source'],
      ...(after !== null && { starting_after: after }),
    };
    const answer = await client.ask((stripe) => stripe.balanceTransactions.list(params), signal);
    if ('error' in answer) {
      const outcome = outcomeOfError(answer.call, answer.error, now());
      const facts = factsOf(answer.call, answer.error);
      return { outcome: outcome.kind === 'rejected' ? { ...outcome, kind: 'refused' } : outcome, facts };
    }
    return { outcome: pageOf(answer.value), facts: factsOf(answer.call) };
  },
});

const unreadable = { kind: 'unknown', cause: 'unreadable' } as const;

function pageOf(given: unknown): StatementOutcome {
  const { data, has_more: hasMore } = (given ?? {}) as Partial<Stripe.ApiList<Stripe.BalanceTransaction>>;
  if (!Array.isArray(data) || typeof hasMore !== 'boolean') return unreadable;
  const lines = data.filter(({ type }) => typesOfPayers.has(type)).map(lineOf);
  const last = data.at(-1)?.id ?? null;
  if (lines.includes(null) || (hasMore && last === null)) return unreadable;
  return { kind: 'read', lines: lines as ProviderLine[], next: hasMore ? last : null };
}

/** Null when the line has another form: a line that is skipped could be one of ours. */
function lineOf(given: Stripe.BalanceTransaction): ProviderLine | null {
  const { id, amount, currency: lower, created, source } = given;
  if (typeof id !== 'string' || typeof lower !== 'string' || !Number.isSafeInteger(created)) return null;
  const currency = lower.toUpperCase();
  const amountMinor = fromStripe(Math.abs(amount), currency);
  if (amountMinor === null || amountMinor === 0n) return null;
  return {
    line: id,
    at: new Date(created * 1_000),
    ...orderIn(source),
    direction: amount > 0 ? 'in' : 'out',
    amountMinor,
    currency,
    balanceMinor: null,
  };
}

/** The order behind a line. Stripe copies the metadata of an intent to its charge. */
function orderIn(source: unknown): Pick<ProviderLine, 'orderId' | 'reference'> {
  const { object, id, payment_intent: intent, metadata } = Object(source) as Partial<Stripe.Charge>;
  const ours: unknown = metadata?.[OUR_ID];
  const reference = typeof ours === 'string' ? ours : null;
  if ((object as string) === 'refund') return { orderId: id ?? null, reference };
  return { orderId: typeof intent === 'string' ? intent : (intent?.id ?? null), reference };
}
