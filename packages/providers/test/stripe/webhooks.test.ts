import { createHmac } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { readEvent, stripeWebhooks } from '../../src/stripe/webhooks.js';

const SECRET = 'whsec_first';
const now = new Date('2026-11-22T12:00:00Z');
const nowSeconds = now.getTime() / 1_000;
const webhooks = stripeWebhooks(`${SECRET} whsec_second`);

const intent = (changes: object = {}) => ({
  id: 'pi_1',
  object: 'payment_intent',
  amount: 4_999,
  amount_received: 4_999,
  currency: 'usd',
  status: 'succeeded',
  metadata: { transaction_id: 'rcg-1' },
  ...changes,
});
const event = (type = 'payment_intent.succeeded', object: unknown = intent()) => ({
  id: 'evt_1',
  object: 'event',
  type,
  data: { object },
});
const hmac = (body: string, seconds: number, secret = SECRET) =>
  createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex');
const verify = (body: string, header: string | string[] | undefined, at = now) =>
  webhooks.verify(Buffer.from(body), header === undefined ? {} : { 'stripe-signature': header }, at);

describe('signatures', () => {
  const body = JSON.stringify(event());
  const header = (seconds = nowSeconds, secret = SECRET) => `t=${seconds},v1=${hmac(body, seconds, secret)}`;

  test.each([
    ['now', nowSeconds],
    ['300 s old', nowSeconds - 300],
    ['300 s ahead', nowSeconds + 300],
  ])('%s passes', (_name, seconds) => {
    expect(verify(body, header(seconds))).toEqual({ ok: true, eventId: 'evt_1' });
  });

  test.each([
    ['301 s old', nowSeconds - 301],
    ['301 s ahead', nowSeconds + 301],
    ['years ahead', nowSeconds + 10 ** 8],
  ])('%s is outside the window', (_name, seconds) => {
    expect(verify(body, header(seconds))).toEqual({ ok: false, refusal: 'outside_window' });
  });

  test('either secret of a rotation passes, and one right signature of several', () => {
    expect(verify(body, header(nowSeconds, 'whsec_second')).ok).toBe(true);
    expect(verify(body, `${header()},v1=${'0'.repeat(64)}`).ok).toBe(true);
  });

  test.each([
    ['none', undefined],
    ['empty', ''],
    ['of another secret', header(nowSeconds, 'whsec_third')],
    ['of another body', `t=${nowSeconds},v1=${hmac(`${body} `, nowSeconds)}`],
    ['with another time', `t=${nowSeconds - 1},v1=${hmac(body, nowSeconds)}`],
    ['of another scheme', `t=${nowSeconds},v0=${hmac(body, nowSeconds)}`],
    ['with two times', `t=${nowSeconds},${header()}`],
    ['sent twice', [header(), header()]],
  ])('a signature that is %s is refused', (_name, given) => {
    expect(verify(body, given)).toEqual({ ok: false, refusal: 'bad_signature' });
  });

  test('without a secret everything is refused', () => {
    const verified = stripeWebhooks('').verify(Buffer.from(body), { 'stripe-signature': header() }, now);
    expect(verified).toEqual({ ok: false, refusal: 'bad_signature' });
  });

  test('an authentic body that is no JSON is stored', () => {
    const verified = verify('no json', `t=${nowSeconds},v1=${hmac('no json', nowSeconds)}`);
    expect(verified).toMatchObject({ ok: true, eventId: expect.stringMatching(/^body_/) });
    expect(webhooks.read(Buffer.from('no json'))).toMatchObject({ kind: 'unread' });
  });
});

describe('events', () => {
  const facts = { providerOrderId: 'pi_1', accountId: null, amountMinor: 4_999n, currency: 'USD' };
  const order = { kind: 'order', reference: 'rcg-1', ...facts };
  const decline = { code: 'card_declined', decline_code: 'lost_card', message: 'no' };

  test.each([
    ['succeeded', event(), { ...order, status: 'settled' }],
    [
      'an amount that differs',
      event('payment_intent.succeeded', intent({ amount_received: 5_000 })),
      { ...order, amountMinor: 5_000n, status: 'settled' },
    ],
    [
      'a decline: the payer may try again',
      event(
        'payment_intent.payment_failed',
        intent({ status: 'requires_payment_method', last_payment_error: decline }),
      ),
      { ...order, status: 'pending', code: 'lost_card', message: 'no' },
    ],
    [
      'a decline that was closed',
      event(
        'payment_intent.canceled',
        intent({ status: 'canceled', cancellation_reason: 'abandoned', last_payment_error: decline }),
      ),
      { ...order, status: 'declined', code: 'lost_card', message: 'no' },
    ],
    [
      'a cancel after a decline',
      event(
        'payment_intent.canceled',
        intent({
          status: 'canceled',
          cancellation_reason: 'requested_by_customer',
          last_payment_error: decline,
        }),
      ),
      { ...order, status: 'canceled' },
    ],
    [
      'the name does not decide: an old event with the new state',
      event('payment_intent.processing'),
      { ...order, status: 'settled' },
    ],
    [
      'a refund of ours',
      event('refund.updated', {
        ...{ id: 're_1', object: 'refund', amount: 100, currency: 'usd', status: 'succeeded' },
        ...{ payment_intent: 'pi_1', metadata: { transaction_id: 'rfd-1' } },
      }),
      {
        kind: 'order',
        reference: 'rfd-1',
        ...facts,
        providerOrderId: 're_1',
        amountMinor: 100n,
        status: 'settled',
      },
    ],
    [
      'a refund that somebody made in the dashboard',
      event('refund.created', {
        ...{ id: 're_1', object: 'refund', amount: 100, currency: 'usd', status: 'succeeded' },
        ...{ payment_intent: 'pi_1', metadata: {} },
      }),
      { kind: 'unread', type: 'refund.created', reference: null, providerOrderId: 'pi_1' },
    ],
    [
      'a dispute',
      event('charge.dispute.created', { id: 'dp_1', object: 'dispute', payment_intent: 'pi_1' }),
      { kind: 'unread', type: 'charge.dispute.created', reference: null, providerOrderId: 'pi_1' },
    ],
    ...['won', 'lost', 'warning_closed'].map(
      (status) =>
        [
          `a dispute that ended as ${status}: a person reads its status`,
          event('charge.dispute.closed', { id: 'dp_1', object: 'dispute', status, payment_intent: 'pi_1' }),
          { kind: 'unread', type: 'charge.dispute.closed', reference: null, providerOrderId: 'pi_1' },
        ] as const,
    ),
    ['a charge', event('charge.succeeded', {}), { kind: 'ignored', type: 'charge.succeeded' }],
    [
      'an unknown status',
      event('payment_intent.new', intent({ status: 'partially_funded' })),
      { kind: 'unread', type: 'payment_intent.new', reference: 'rcg-1', providerOrderId: 'pi_1' },
    ],
    [
      'success without money',
      event('payment_intent.succeeded', intent({ amount_received: 0 })),
      { kind: 'unread', type: 'payment_intent.succeeded', reference: 'rcg-1', providerOrderId: 'pi_1' },
    ],
    ['null', null, { kind: 'unread', type: null, reference: null, providerOrderId: null }],
  ])('%s', (_name, given, read) => {
    expect(readEvent(given)).toEqual(read);
  });
});
