import { newId } from '@replenish/runtime';
import type { DueQueue } from '../machine/due-queue.js';
import type { StripeEvents } from './events.js';
import { invalid, missing, StripeFault, unexpectedState } from './faults.js';
import {
  type CardOutcome,
  declineError,
  referenceOf,
  type StoredBalanceTransaction,
  type StoredIntent,
  type StoredRefund,
  showIntent,
  showRefund,
} from './objects.js';
import type { StripeStore, StripeWork } from './store.js';

export type IntentRequest = Readonly<{
  amount: number;
  currency: string;
  metadata: Readonly<Record<string, string>>;
  paymentMethodTypes: readonly string[];
  description: string | null;
}>;

const idOf = (prefix: string): string => `${prefix}_${newId().replaceAll('-', '')}`;

/** What the payer does by itself, by the scenario in the metadata. Null: nothing. */
const payerOf = (scenario: string | undefined): CardOutcome | null =>
  scenario === 'declined' || scenario === 'requires_action'
    ? scenario
    : scenario === 'payer_absent'
      ? null
      : 'ok';

/** The payment intents and refunds of the simulated account. */
export class StripeBook {
  readonly #store: StripeStore;
  readonly #events: StripeEvents;
  readonly #queue: DueQueue<StripeWork>;
  /** The time until the payer acts by itself. Null: the payer never does. */
  readonly #paysAfterMs: number | null;

  constructor(
    store: StripeStore,
    events: StripeEvents,
    queue: DueQueue<StripeWork>,
    paysAfterMs: number | null,
  ) {
    this.#store = store;
    this.#events = events;
    this.#queue = queue;
    this.#paysAfterMs = paysAfterMs;
  }

  create(request: IntentRequest, key: string | null): StoredIntent {
    const id = idOf('pi');
    const intent: StoredIntent = {
      id,
      clientSecret: `${id}_secret_${newId().replaceAll('-', '')}`,
      ...request,
      amountReceived: 0,
      status: 'requires_payment_method',
      paymentMethod: null,
      isDeclined: false,
      cancellationReason: null,
      canceledAt: null,
      chargeId: null,
      createdMs: Date.now(),
    };
    this.#store.intents.putSync(id, intent);
    for (const [name, value] of Object.entries(request.metadata)) {
      const tag = `${name}=${value}`;
      this.#store.byMetadata.putSync(tag, [...(this.#store.byMetadata.get(tag) ?? []), id]);
    }
    this.#tell('payment_intent.created', intent, key);
    const card = payerOf(request.metadata.scenario);
    if (this.#paysAfterMs !== null && card)
      void this.#queue.add(Date.now() + this.#paysAfterMs, `pay/${id}`, { kind: 'pay', intentId: id, card });
    return intent;
  }

  intent(id: string): StoredIntent {
    const intent = this.#store.intents.get(id);
    if (!intent) throw missing('payment_intent', id);
    return intent;
  }

  /** @throws StripeFault with the card error when the card is declined */
  confirm(id: string, card: CardOutcome, paymentMethod: string, key: string | null): StoredIntent {
    const intent = this.pay(id, card, key, paymentMethod);
    if (intent.isDeclined)
      throw new StripeFault(402, { ...declineError(), payment_intent: showIntent(intent) }, true);
    return intent;
  }

  /** The payer presents a card. */
  pay(
    id: string,
    card: CardOutcome,
    key: string | null = null,
    paymentMethod = 'pm_card_visa',
  ): StoredIntent {
    const before = this.intent(id);
    if (before.status === 'succeeded' || before.status === 'canceled')
      throw unexpectedState(
        `This PaymentIntent's status is ${before.status}, so it cannot be confirmed.`,
        showIntent(before),
      );
    if (card === 'declined')
      return this.#move(
        { ...before, status: 'requires_payment_method', isDeclined: true, paymentMethod: null },
        'payment_intent.payment_failed',
        key,
      );
    const attempt = { ...before, isDeclined: false, paymentMethod };
    if (card === 'requires_action')
      return this.#move({ ...attempt, status: 'requires_action' }, 'payment_intent.requires_action', key);
    this.#account('charge', before.amount, before.currency, id);
    return this.#move(
      { ...attempt, status: 'succeeded', amountReceived: before.amount, chargeId: idOf('ch') },
      'payment_intent.succeeded',
      key,
    );
  }

  /** The payer acts by itself, unless somebody was faster. */
  payIfOpen(id: string, card: CardOutcome): void {
    const intent = this.#store.intents.get(id);
    if (intent?.status === 'requires_payment_method') this.#store.change(() => this.pay(id, card));
  }

  cancel(id: string, reason: string | null, key: string | null): StoredIntent {
    const before = this.intent(id);
    if (before.status === 'succeeded' || before.status === 'canceled')
      throw unexpectedState(
        `You cannot cancel this PaymentIntent because it has a status of ${before.status}.`,
        showIntent(before),
      );
    const canceledAt = Math.floor(Date.now() / 1_000);
    return this.#move(
      { ...before, status: 'canceled', cancellationReason: reason, canceledAt },
      'payment_intent.canceled',
      key,
    );
  }

  refund({ intentId, amount, metadata, reason }: RefundRequest, key: string | null): StoredRefund {
    const intent = this.intent(intentId);
    if (intent.status !== 'succeeded')
      throw invalid('This PaymentIntent does not have a successful charge to refund.', 'payment_intent');
    const left = intent.amount - this.refundsOf(intentId).reduce((sum, one) => sum + one.amount, 0);
    if (left === 0)
      throw invalid(
        `Charge ${intent.chargeId} has already been refunded.`,
        'charge',
        'charge_already_refunded',
      );
    const taken = amount ?? left;
    if (taken > left)
      throw invalid(`Refund amount (${taken}) is greater than unrefunded amount (${left})`, 'amount');
    const refund: StoredRefund = {
      id: idOf('re'),
      intentId,
      chargeId: intent.chargeId,
      amount: taken,
      currency: intent.currency,
      metadata,
      reason,
      created: Math.floor(Date.now() / 1_000),
    };
    this.#store.refunds.putSync(refund.id, refund);
    const ids = this.#store.refundsOf.get(intentId) ?? [];
    this.#store.refundsOf.putSync(intentId, [...ids, refund.id]);
    this.#account('refund', -taken, intent.currency, refund.id);
    this.#events.emit('refund.created', showRefund(refund), referenceOf(refund), key);
    return refund;
  }

  refundsOf(intentId: string): StoredRefund[] {
    const ids = this.#store.refundsOf.get(intentId) ?? [];
    return ids.flatMap((id) => this.#store.refunds.get(id) ?? []);
  }

  /** The intents with this metadata, oldest first. */
  withMetadata(name: string, value: string): StoredIntent[] {
    const ids = this.#store.byMetadata.get(`${name}=${value}`) ?? [];
    return ids.flatMap((id) => this.#store.intents.get(id) ?? []);
  }

  /** All intents, newest first. Ids ascend in time. */
  newest(limit: number, before?: string): StoredIntent[] {
    const from = before === undefined ? {} : { start: before, exclusiveStart: true };
    return [...this.#store.intents.getRange({ ...from, reverse: true, limit })].map(({ value }) => value);
  }

  /** The movements of the balance, newest first. */
  balanceTransactions(limit: number, before?: string): StoredBalanceTransaction[] {
    const from = before === undefined ? {} : { start: before, exclusiveStart: true };
    return [...this.#store.balance.getRange({ ...from, reverse: true, limit })].map(({ value }) => value);
  }

  #account(type: StoredBalanceTransaction['type'], amount: number, currency: string, of: string): void {
    const id = idOf('txn');
    const created = Math.floor(Date.now() / 1_000);
    this.#store.balance.putSync(id, { id, type, amount, currency, of, created });
  }

  #move(intent: StoredIntent, event: string, key: string | null): StoredIntent {
    this.#store.intents.putSync(intent.id, intent);
    this.#tell(event, intent, key);
    return intent;
  }

  #tell(type: string, intent: StoredIntent, key: string | null): void {
    this.#events.emit(type, showIntent(intent), referenceOf(intent), key);
  }
}

export type RefundRequest = Readonly<{
  intentId: string;
  /** The amount to refund. Null: all that is left. */
  amount: number | null;
  metadata: Readonly<Record<string, string>>;
  reason: string | null;
}>;
