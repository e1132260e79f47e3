import { randomBytes, randomUUID } from 'node:crypto';
import {
  agencyRail,
  alipayProvider,
  fundAccountRail,
  type Order,
  type Provider,
  resellerQuotaRail,
  sandboxProvider,
  stripeProvider,
} from '@replenish/providers';
import type { Cloud } from '../alibaba-cloud/support/cloud.js';

type Booked = Readonly<{ amount: number; currency: string }>;

/** A provider under test, with the simulator that keeps its books. */
export type Bench = Readonly<{
  name: string;
  url(cloud: Cloud): string;
  open(cloud: Cloud, url: string): Provider;
  /** A new order. Everything that it needs at the simulator exists. */
  order(cloud: Cloud, terms?: Partial<Pick<Order, 'amountMinor' | 'currency'>>): Promise<Order>;
  /** Amounts in minor units, by what becomes of them. */
  amounts: Readonly<Record<string, Readonly<{ taken: readonly bigint[]; refused?: readonly bigint[] }>>>;
  /** The orders of a reference, from the simulator's own books. */
  booked(cloud: Cloud, order: Order): Promise<readonly Booked[]>;
  /** Lets the order settle: its payer pays, or the list shows it. */
  settle(cloud: Cloud, order: Order): Promise<unknown>;
  /** The next submit of the order is executed and gets no answer. */
  loseAnswer(cloud: Cloud, order: Order): Promise<Order>;
  /** Whether the provider can be asked about an order. */
  looksUp: boolean;
  /** The requests of a submit, if it reads before and after its call. Missing: one. */
  requestsPerSubmit?: number;
}>;

const remarkKey = randomBytes(32);
const common = (currency: string, paymentMethod: string) => ({
  ...{ reference: randomUUID(), accountId: 'acct-1', amountMinor: 4_999n, currency, paymentMethod },
  ...{ notifyUrl: 'http://127.0.0.1:9/webhooks', metadata: {} },
});
const exact = [1n, 99n, 100n, 123_456_789n];

const sandbox: Bench = {
  name: 'sandbox',
  looksUp: true,
  amounts: { USD: { taken: exact }, JPY: { taken: exact } },
  url: (cloud) => cloud.url,
  open: (_cloud, baseUrl) => sandboxProvider({ baseUrl }),
  order: async (_cloud, terms) => ({ ...common('USD', 'sandbox'), ...terms }),
  booked: async (cloud, { reference }) =>
    (await cloud.get(`/_control/orders?reference=${reference}`)).orders as Booked[],
  settle: async () => {},
  loseAnswer: async (_cloud, order) => ({ ...order, metadata: { scenario: 'timeout_after_charge' } }),
};

const stripe: Bench = {
  name: 'stripe',
  looksUp: true,
  // Stripe charges 50 cents at least, and eight digits at most.
  amounts: {
    USD: { taken: [99n, 100n, 99_999_999n], refused: [1n, 123_456_789n] },
    JPY: { taken: [99n, 100n], refused: [1n, 123_456_789n] },
    KWD: { taken: [1_230n], refused: [1_234n] },
  },
  url: ({ endpoints: { stripe: at } }) => at.url,
  open: ({ endpoints: { stripe: at } }, apiBase) => stripeProvider({ apiBase, secretKey: at.secretKey }),
  order: async (_cloud, terms) => ({ ...common('USD', 'credit_card'), ...terms }),
  booked: async (cloud, { reference }) =>
    (await cloud.get(`/_control/stripe/payment_intents?reference=${reference}`)).payment_intents as Booked[],
  async settle(cloud, { reference }) {
    const { payment_intents: intents } = await cloud.get(
      `/_control/stripe/payment_intents?reference=${reference}`,
    );
    await cloud.post('/_control/stripe/pay', { id: intents[0].id, card: 'ok' });
  },
  async loseAnswer(cloud, order) {
    await cloud.post('/_control/stripe/behave', {
      ...{ scenario: 'timeout_after_create', reference: order.reference },
    });
    return order;
  },
};

const alipay: Bench = {
  name: 'alipay',
  looksUp: true,
  // 100,000,000 yuan at most.
  amounts: {
    CNY: { taken: [...exact, 10_000_000_000n], refused: [10_000_000_001n] },
    USD: { taken: [], refused: [100n] },
  },
  url: ({ endpoints: { alipay: at } }) => at.url,
  open: ({ endpoints: { alipay: at } }, endpoint) => alipayProvider({ ...at, endpoint }),
  order: async (_cloud, terms) => ({ ...common('CNY', 'alipay'), ...terms }),
  // Alipay has a trade once its code is scanned.
  async booked(cloud, { reference }) {
    await cloud.post('/_control/alipay/scan', { out_trade_no: reference });
    return (await cloud.get(`/_control/alipay/trades?reference=${reference}`)).trades as Booked[];
  },
  settle: (cloud, { reference }) => cloud.post('/_control/alipay/pay', { reference }),
  async loseAnswer(cloud, order) {
    await cloud.post('/_control/alipay/behave', {
      ...{ scenario: 'timeout_after_create', reference: order.reference },
    });
    return order;
  },
};

const aliyun = ({ alibaba: { accessKeyId, accessKeySecret } }: Cloud, endpoint: string) => ({
  ...{ accessKeyId, accessKeySecret, endpoint, timeoutMs: 5_000 },
});
const losing = async (cloud: Cloud, order: Order) => {
  await cloud.behave('timeout_after_transfer', { to: order.destination!.to });
  return order;
};

const fundAccount: Bench = {
  name: 'alibaba_cloud fund_account',
  looksUp: true,
  amounts: {
    CNY: { taken: exact },
    JPY: { taken: exact },
    USD: { taken: exact },
    EUR: { taken: [], refused: [100n] },
  },
  url: ({ alibaba }) => alibaba.url,
  open: (cloud, url) =>
    fundAccountRail({
      ...{ ...aliyun(cloud, url), fundAccountId: 'fa-main', remarkKeys: [remarkKey] },
    }),
  async order(cloud, terms) {
    const order = { ...common('CNY', 'fund_account'), ...terms };
    const to = `fa-${order.reference}`;
    for (const [id, cash] of [
      [to, 0],
      ['fa-main', 1_000_000_000],
    ] as const)
      await cloud.fund(id, cash, { currency: order.currency });
    await cloud.post('/_control/alibaba/clock', { aheadMs: 0 });
    return { ...order, destination: { from: null, to } };
  },
  booked: async (cloud, { reference }) =>
    (await cloud.get(`/_control/alibaba/transfers?remark=${reference}`)).transfers as Booked[],
  settle: (cloud) => cloud.post('/_control/alibaba/clock', { aheadMs: 60_000 }),
  loseAnswer: losing,
};

let customers = 0;

const resellerQuota: Bench = {
  name: 'alibaba_cloud reseller_quota',
  looksUp: false,
  amounts: { CNY: { taken: exact }, USD: { taken: [], refused: [100n] } },
  url: ({ alibaba }) => alibaba.url,
  open: (cloud, url) => resellerQuotaRail(aliyun(cloud, url)),
  async order(cloud, terms) {
    const to = String(9_007_199_254_740_993n + BigInt(customers++));
    await cloud.post('/_control/alibaba/reseller-customers', { owner: to, consumed: 0 });
    return { ...common('CNY', 'balance'), ...terms, destination: { from: null, to } };
  },
  // The customer is new, so all that it may consume comes from the booked orders.
  async booked(cloud, { reference, destination }) {
    const { consumed, changes } = await cloud.get(`/_control/alibaba/reseller-customers/${destination!.to}`);
    const ours = (changes as string[]).filter((key) => key === reference);
    return ours.map(() => ({ amount: -consumed, currency: 'CNY' }));
  },
  settle: async () => {},
  loseAnswer: losing,
};

const OWED = 1_000_000_000_000;

const agency: Bench = {
  name: 'alibaba_cloud agency',
  looksUp: true,
  requestsPerSubmit: 3,
  amounts: { USD: { taken: exact }, CNY: { taken: [], refused: [100n] } },
  url: ({ alibaba }) => alibaba.url,
  open: (cloud, url) =>
    agencyRail({
      ...{ ...aliyun(cloud, url), by: 'deduct' },
      proof: { scans: 3, visibilityDelayMs: 1_800_000, resubmit: 'person' },
    }),
  async order(cloud, terms) {
    const to = String(9_007_199_254_740_993n + BigInt(customers++));
    await cloud.post('/_control/alibaba/agency-customers', { uid: to, creditLine: 0, outstanding: OWED });
    return { ...common('USD', 'balance'), ...terms, destination: { from: null, to } };
  },
  async booked(cloud, { destination }) {
    const { deductions } = await cloud.get(`/_control/alibaba/agency-customers/${destination!.to}`);
    return (deductions as Booked[]).map(({ amount }) => ({ amount, currency: 'USD' }));
  },
  settle: (cloud) => cloud.post('/_control/alibaba/clock', { aheadMs: 60_000 }),
  loseAnswer: losing,
};

export const benches: readonly Bench[] = [sandbox, stripe, alipay, fundAccount, resellerQuota, agency];
